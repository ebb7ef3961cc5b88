import { RunEventsError, type RunEvents, type WorkedRun } from "@tm/run-events-core";
import { safeValidateUIMessages, type UIMessage, type UIMessageChunk } from "ai";
import { StreamRuns } from "../stream-runs.ts";
import { encodeEvents, MERGE, MESSAGE } from "./answer-events.ts";
import { findLive, foldAnswers, followAnswer, listAnswers } from "./answers.ts";
import { withMessage } from "./fold-answer.ts";
import { AnswerError, recordAnswer } from "./record-answer.ts";
import { type ChatRoutesOptions, createChatRoutes } from "./routes.ts";

/** Where the chats are, and how they are kept. */
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

/** Chats whose messages are in the logs of their answers. */
export interface Chats<Message extends UIMessage> {
  /**
   * Begins to answer a message. A chat has one answer at a time. A message with the id of an earlier one replaces it and all after it.
   * @returns once the message is recorded
   * @throws RunEventsError `topic_busy` (with `runId`) while the chat is being answered; `invalid_request` for a message that the AI SDK
   * does not take, or one of the assistant that the chat does not have; `store_unavailable`
   */
  answer(
    chat: ChatPlace & { readonly message: Message },
    make: MakeAnswer<Message>,
  ): Promise<Answer>;
  /**
   * Reads all messages, as far as they came. `metadata.run` of an answer has its `runId`, its `runStatus`, and the `errorText` of a failure.
   * @returns the messages, and the run of the answer that is being made; empty and `null` for a chat that does not exist
   * @throws RunEventsError `invalid_request`, `store_unavailable`
   */
  read(
    chatId: string,
    owner: { readonly ownerId: string },
  ): Promise<{
    readonly messages: readonly Message[];
    readonly active: { readonly runId: string } | null;
  }>;
  /**
   * Follows the answer that is being made, from its start. An answer that fails ends with an `error` chunk, one that is stopped with `abort`.
   * @returns `null` if the chat is not being answered
   * @throws RunEventsError `invalid_request`, `store_unavailable`
   */
  follow(
    chatId: string,
    owner: { readonly ownerId: string },
  ): Promise<ReadableStream<UIMessageChunk> | null>;
  /**
   * Stops the answer that is being made, whichever process makes it.
   * @returns whether there was one
   * @throws RunEventsError `invalid_request`, `store_unavailable`
   */
  stop(chatId: string, owner: { readonly ownerId: string }): Promise<boolean>;
  /** Makes the routes that `useChat` asks, as one function of a request. */
  routes(options: ChatRoutesOptions<Message>): (request: Request) => Promise<Response>;
}

/**
 * Makes chats for the AI SDK. Each answer is a run: it outlives its request and its readers, and any process can follow or stop it.
 *
 * @example
 * const chats = createChats({ runs });
 * const { stream } = await chats.answer({ chatId, ownerId: "ada", message }, ({ messages, signal }) => askModel(messages, signal));
 * const { messages } = await chats.read(chatId, { ownerId: "ada" });
 */
export function createChats<Message extends UIMessage = UIMessage>(
  options: ChatsOptions,
): Chats<Message> {
  const streamsOf = ({ ownerId }: { readonly ownerId: string }): StreamRuns =>
    new StreamRuns({ runs: options.runs, leaseMs: options.leaseMs, ownerId }, "ai-sdk");
  const chats: Chats<Message> = {
    async answer(chat, make) {
      const message = await checkMessage(chat.message);
      return startAnswer(streamsOf(chat), { ...chat, message }, make, options);
    },
    async read(chatId, owner) {
      const streams = streamsOf(owner);
      const live = await findLive(streams, chatId);
      if (live !== null) await streams.endIfDead(live.runId);
      const { messages, last } = await foldAnswers<Message>(
        streams,
        await listAnswers(streams, chatId),
      );
      const isActive = last?.runStatus === "running" || last?.runStatus === "queued";
      return { messages, active: last !== null && isActive ? { runId: last.runId } : null };
    },
    async follow(chatId, owner) {
      const streams = streamsOf(owner);
      const live = await findLive(streams, chatId);
      return live === null ? null : followAnswer(streams, live.runId);
    },
    async stop(chatId, owner) {
      const { runs, ownerId } = streamsOf(owner);
      const live = await findLive(streamsOf(owner), chatId);
      if (live === null) return false;
      return (await runs.cancel(live.runId, { ownerId })).runStatus === "cancelled";
    },
    routes: (routesOptions) => createChatRoutes(chats, routesOptions),
  };
  return chats;
}

/** @throws RunEventsError `invalid_request` for what is not a message of the user or the assistant */
async function checkMessage<Message extends UIMessage>(given: Message): Promise<Message> {
  const checked = await safeValidateUIMessages<Message>({ messages: [given] });
  const [message] = checked.success ? checked.data : [];
  if (message !== undefined && message.role !== "system") return message;
  throw new RunEventsError(
    "invalid_request",
    "Expected `message` to be a message of the user or the assistant, as the AI SDK has them. It has `id`, `role` and `parts`.",
  );
}

/** Creates the run of an answer, and works on it. */
async function startAnswer<Message extends UIMessage>(
  streams: StreamRuns,
  chat: ChatPlace & { readonly message: Message },
  make: MakeAnswer<Message>,
  options: ChatsOptions,
): Promise<Answer> {
  const { runs, ownerId, leaseMs } = streams;
  const { chatId, message } = chat;
  const { maxPayloadBytes } = runs.log.limits;
  const recorded = Promise.withResolvers<void>();
  const task = async (run: WorkedRun): Promise<void> => {
    const messages = await readQuestion(streams, run.runId, chat);
    await appendMessage(run, message, runs.log.limits);
    recorded.resolve();
    const { signal } = run;
    const open = async (): Promise<ReadableStream<UIMessageChunk>> =>
      make({ chatId, ownerId, messages: [...messages], signal });
    const continued = message.role === "assistant" ? message.id : run.runId;
    await recordAnswer(run, open, continued, maxPayloadBytes);
  };
  const describeError = (error: unknown): string | undefined =>
    error instanceof AnswerError ? error.message : options.describeError?.(error);
  const place = { ownerId, topic: chatId, exclusive: true };
  const mergeMs = options.mergeMs ?? 250;
  const how = { leaseMs, merge: MERGE, mergeMs, onShutdown: "fail", describeError } as const;
  const start = (): ReturnType<typeof runs.start<void>> => runs.start({ ...place, ...how }, task);
  const { runId, done } = await start().catch(async (error: unknown) => {
    if (!(error instanceof RunEventsError) || error.code !== "topic_busy") throw error;
    // The process of the answer before may have died: then its place is free.
    await streams.endIfDead(String(error.details.runId));
    return start();
  });
  options.waitUntil?.(done.catch(() => {}));
  done.catch(recorded.reject);
  await recorded.promise;
  return { runId, done, stream: followAnswer(streams, runId) };
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
  const answers = await listAnswers(streams, chatId);
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

/** Appends the message, in several events if it is larger than a payload. */
async function appendMessage(
  run: WorkedRun,
  message: UIMessage,
  limits: RunEvents["log"]["limits"],
): Promise<void> {
  const { maxPayloadBytes, maxBatchEvents } = limits;
  const drafts = encodeEvents(MESSAGE, message, maxPayloadBytes);
  for (let at = 0; at < drafts.length; at += maxBatchEvents) {
    await run.append(drafts.slice(at, at + maxBatchEvents));
  }
}
