import {
  type EventDraft,
  RunEventsError,
  type RunEvents,
  type WorkedRun,
} from "@tm/run-events-core";
import type { UIMessage, UIMessageChunk } from "ai";
import { joinEarlier } from "../earlier-call.ts";
import { appendValue } from "../event-parts.ts";
import { ShownError, shownBy } from "../shown-failure.ts";
import { returned, type StreamRuns } from "../stream-runs.ts";
import { listTopic } from "../topic-runs.ts";
import { CUT_SHORT_TEXT, MERGE, MESSAGE } from "./answer-events.ts";
import { foldAnswers, followAnswer } from "./answers.ts";
import { withMessage } from "./fold-answer.ts";
import { recordAnswer } from "./record-answer.ts";
import { type Spill, Spiller } from "./spill.ts";

/** Settings of `createChats`. */
export interface ChatsOptions {
  /** The runs, on any store. Each answer is one of them, with the chat's id as its topic. */
  readonly runs: RunEvents;
  /**
   * How long the answer of a process that died stays live, in milliseconds: 1,000 to 3,600,000. Readers get its end after one and a half
   * times this, at most.
   * @defaultValue 10,000
   */
  readonly leaseMs?: number | undefined;
  /**
   * How long a chunk waits for others before it is written, in milliseconds: 0 to 10,000. The longer, the fewer events an answer has. Its
   * first token does not wait.
   * @defaultValue 250
   */
  readonly mergeMs?: number | undefined;
  /**
   * Returns what the user may read of an error that was thrown. The text of an `error` chunk is kept as it is: the AI SDK has made it by
   * its own `onError`.
   * @defaultValue always "An error occurred."
   */
  readonly describeError?: ((error: unknown) => string | undefined) | undefined;
  /**
   * Stores a file elsewhere, and returns its absolute URL, which the log keeps. It gets each file with a data URL of a question that is
   * larger than a payload. Of an answer it gets each file that is larger. If it throws, the question is refused, or the answer fails. A
   * stop does not wait for it.
   * @defaultValue none: the log has the file, in several events
   */
  readonly spill?: Spill | undefined;
  /**
   * Keeps the program alive until the promise is settled, such as `after` of Next.js.
   * @defaultValue none
   */
  readonly waitUntil?: ((promise: Promise<unknown>) => unknown) | undefined;
}

/** A chat of one owner. Two owners may use the same id: their chats are different. */
export interface ChatPlace {
  /** 1 to 200 characters, none of them a control character. */
  readonly chatId: string;
  readonly ownerId: string;
}

/** A message to answer. */
export interface AskedMessage<Message extends UIMessage> extends ChatPlace {
  readonly message: Message;
  /**
   * Another call with the same key gets the same answer, as far as it is made. So a question may be sent again when its reply was lost.
   * Under the same key, another message is refused as `idempotency_key_reused`.
   * @defaultValue none: each call begins an answer
   */
  readonly idempotencyKey?: string | undefined;
}

/** What a model answers. */
export interface Question<Message extends UIMessage> extends ChatPlace {
  /** All messages of the chat, the one to answer last. */
  readonly messages: Message[];
  /** Aborts when the answer is stopped, by any process, or the program shuts down. Pass it to the model. */
  readonly signal: AbortSignal;
}

/** Makes an answer: a stream such as that of `toUIMessageStream`. */
export type MakeAnswer<Message extends UIMessage> = (
  question: Question<Message>,
) => ReadableStream<UIMessageChunk> | Promise<ReadableStream<UIMessageChunk>>;

/** An answer that is being made. */
export interface Answer {
  readonly runId: string;
  /** Its chunks, from the log. It may be left unread: the answer does not wait for it. */
  readonly stream: ReadableStream<UIMessageChunk>;
  /** Resolves at its end, and rejects if it fails or is stopped. The rejection may be ignored. */
  readonly done: Promise<void>;
}

/**
 * Creates the run of an answer, and works on it.
 * @returns once the message is recorded
 */
export async function startAnswer<Message extends UIMessage>(
  streams: StreamRuns,
  chat: AskedMessage<Message>,
  make: MakeAnswer<Message>,
  options: ChatsOptions,
): Promise<Answer> {
  const { runs, ownerId, leaseMs } = streams;
  const { chatId, idempotencyKey: key } = chat;
  const { maxPayloadBytes } = runs.log.limits;
  const recorded = Promise.withResolvers<void>();
  let hadDied = false;
  const task = async (run: WorkedRun): Promise<void> => {
    if (run.lastSequence > 0) {
      // The process that began it has died. Readers may have a part, so no other answer may follow it.
      hadDied = true;
      recorded.resolve();
      throw new ShownError(CUT_SHORT_TEXT);
    }
    const place = { chatId, ownerId, runId: run.runId };
    const spiller = new Spiller(options.spill, place, maxPayloadBytes, run.signal);
    const message = await spiller.message(chat.message);
    const messages = await readQuestion(streams, run.runId, { chatId, message });
    await appendValue(run, MESSAGE, message, runs.log.limits);
    recorded.resolve();
    const { signal } = run;
    const open = async (): Promise<ReadableStream<UIMessageChunk>> =>
      make({ chatId, ownerId, messages: [...messages], signal });
    const continued = message.role === "assistant" ? message.id : run.runId;
    await recordAnswer(run, open, continued, { maxPayloadBytes, spiller });
  };
  const describeError = shownBy(options.describeError);
  const keyed = key === undefined ? null : await streams.runIdOf(JSON.stringify([chatId, key]));
  const place = { ownerId, topic: chatId, exclusive: true, ...(keyed && { runId: keyed }) };
  const mergeMs = options.mergeMs ?? 250;
  const how = { leaseMs, merge: MERGE, mergeMs, onShutdown: "fail", describeError } as const;
  const start = (): ReturnType<typeof runs.start<void>> => runs.start({ ...place, ...how }, task);
  const started = await start()
    .catch(async (error: unknown) => {
      if (!(error instanceof RunEventsError) || error.code !== "topic_busy") throw error;
      // The process of the answer before may have died: then its place is free.
      await streams.endIfDead(String(error.details.runId));
      return start();
    })
    .catch(returned("claimed", "run_finished"));
  if (started instanceof RunEventsError) {
    // Only the run of a key can be there already.
    if (keyed === null) throw started;
    return sameAnswer(streams, keyed, chat.message.id);
  }
  const { runId, done } = started;
  options.waitUntil?.(done.catch(() => {}));
  done.catch(recorded.reject);
  await recorded.promise;
  if (hadDied) return sameAnswer(streams, runId, chat.message.id);
  return { runId, done, stream: followAnswer(streams, runId) };
}

/** The answer of an earlier call with the same key, once its message is recorded. */
async function sameAnswer(streams: StreamRuns, runId: string, messageId: string): Promise<Answer> {
  const isAsked = ({ eventType, payload }: EventDraft): boolean => {
    if (eventType !== MESSAGE || (payload as UIMessage).id === messageId) {
      return eventType === MESSAGE;
    }
    throw new RunEventsError(
      "idempotency_key_reused",
      "Expected the idempotency key of this message, got that of another one. Ask with a new key.",
    );
  };
  const earlier = await joinEarlier(streams, { runId, since: 0, key: "key", isAsked });
  return {
    runId,
    stream: followAnswer(streams, runId),
    get done() {
      return earlier.done;
    },
  };
}

/**
 * All messages of a chat with the one to answer. The run has the place of the chat, so no other answer comes between.
 * @throws RunEventsError `invalid_request` for a message of the assistant that the chat does not have
 */
async function readQuestion<Message extends UIMessage>(
  streams: StreamRuns,
  runId: string,
  { chatId, message }: { readonly chatId: string; readonly message: Message },
): Promise<readonly Message[]> {
  const answers = await listTopic(streams, chatId);
  const { messages } = await foldAnswers<Message>(
    streams,
    answers.filter((run) => run.runId !== runId),
  );
  if (message.role === "assistant" && !messages.some(({ id }) => id === message.id)) {
    throw new RunEventsError(
      "invalid_request",
      "Expected a message of the assistant that the chat has, to be continued. Send a message of the user instead.",
    );
  }
  return withMessage(messages, message);
}
