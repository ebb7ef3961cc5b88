import { type EventDraft, RunEventsError, type WorkedRun } from "@tm/run-events-core";
import type { UIMessage, UIMessageChunk } from "ai";
import { joinEarlier } from "../produce/earlier-call.ts";
import { insist } from "../runs/insist.ts";
import { produceRun } from "../produce/produce-run.ts";
import { produceOptionsOf, type RecordOptions } from "../produce/record-options.ts";
import type { StreamRuns } from "../runs/stream-runs.ts";
import { listTopic } from "../runs/topic-runs.ts";
import { ValueWriter } from "../produce/value-writer.ts";
import { MERGE, MESSAGE, messageOf } from "./answer-events.ts";
import { foldAnswers, followAnswer } from "./answers.ts";
import { withMessage } from "./fold-answer.ts";
import { type AnswerLog, recordAnswer } from "./record-answer.ts";
import { type Spill, Spiller } from "./spill.ts";

/** Settings of `createChats`. */
export interface ChatsOptions extends RecordOptions {
  /**
   * Stores a file elsewhere, and returns its absolute URL, which the log keeps. It gets files that are data URLs: all those of a question
   * that is larger than a payload, and those of an answer that are larger themselves. If it throws, the question is refused, or the answer
   * fails. A stop does not wait for it.
   * @defaultValue none: the log has the file, in several events
   */
  readonly spill?: Spill | undefined;
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
   * Another call of this chat with the same key gets the same answer, as far as it is made. So a question may be sent again if its reply
   * was lost. Under the same key, a message with another `id` is refused as `idempotency_key_reused`.
   * @defaultValue none: each call begins an answer
   */
  readonly idempotencyKey?: string | undefined;
}

/** The messages that a model has to answer. */
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
  const { ownerId } = streams;
  const { limits } = streams.runs.log;
  const { chatId, message, idempotencyKey: key } = chat;
  const keyed = key === undefined ? null : await streams.runIdOf(JSON.stringify([chatId, key]));
  const runId = keyed ?? crypto.randomUUID();
  const produced = await produceRun(
    streams,
    runId,
    { topic: chatId, exclusive: true, ...produceOptionsOf(options, MERGE) },
    async (run) => {
      const place = { chatId, ownerId, runId };
      const spiller = new Spiller(options.spill, place, limits.maxPayloadBytes, run.signal);
      const log = { spiller, writer: new ValueWriter(run, limits) };
      return { log, messages: await recordQuestion(streams, run, chat, log) };
    },
    async (run, { log, messages }) => {
      const { signal } = run;
      const open = async (): Promise<ReadableStream<UIMessageChunk>> =>
        make({ chatId, ownerId, messages: [...messages], signal });
      const continued = message.role === "assistant" ? message.id : runId;
      await recordAnswer(run, open, continued, log);
    },
  );
  const answer =
    produced instanceof RunEventsError ? await joinAnswer(streams, runId, message.id) : produced;
  return {
    runId,
    stream: followAnswer(streams, runId),
    get done() {
      return answer.done;
    },
  };
}

/** Joins the answer of an earlier call with the same key, once its message is recorded. */
function joinAnswer(
  streams: StreamRuns,
  runId: string,
  messageId: string,
): ReturnType<typeof joinEarlier> {
  const isAsked = (event: EventDraft): boolean => {
    const message = messageOf(event);
    if (message === null || message.id === messageId) return message !== null;
    throw new RunEventsError(
      "idempotency_key_reused",
      "Expected the idempotency key of this message, got that of another one. Ask with a new key.",
    );
  };
  return joinEarlier(streams, { runId, since: 0, key: "idempotency key", isAsked });
}

/**
 * Records the message to answer. The run is the only live one of the chat, so no other answer comes between.
 * @returns all messages of the chat, and that one
 * @throws RunEventsError `invalid_request` for a message of the assistant that the chat does not have
 */
async function recordQuestion<Message extends UIMessage>(
  streams: StreamRuns,
  run: WorkedRun,
  chat: AskedMessage<Message>,
  { spiller, writer }: AnswerLog,
): Promise<readonly Message[]> {
  const message = await spiller.message(chat.message);
  const read = async (): ReturnType<typeof foldAnswers<Message>> => {
    const answers = await listTopic(streams, chat.chatId);
    return foldAnswers<Message>(
      streams,
      answers.filter(({ runId }) => runId !== run.runId),
    );
  };
  // The run is made: if it failed now, the question could not be sent again with its key.
  const { messages } = await insist(read, run.signal);
  if (message.role === "assistant" && !messages.some(({ id }) => id === message.id)) {
    throw new RunEventsError(
      "invalid_request",
      "Expected a message of the assistant that the chat has, to be continued. Send a message of the user instead.",
    );
  }
  await writer.append(MESSAGE, message);
  return withMessage(messages, message);
}
