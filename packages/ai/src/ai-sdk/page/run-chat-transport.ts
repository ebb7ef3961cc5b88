import type { RunEventsError } from "@tm/run-events-core";
import type { ServerOptions } from "@tm/run-events-client";
import { createRunsStore, createRunStore, type Store } from "@tm/run-events-client/store";
import type { ChatTransport, UIMessage, UIMessageChunk } from "ai";
import { untilAborted } from "../../produce/until-aborted.ts";
import { streamAnswer } from "./answer-stream.ts";
import { ChatCalls } from "./chat-calls.ts";
import { type ChatStanding, ChatWatch, type WatchedChat } from "./chat-watch.ts";
import { PageChat } from "./page-chat.ts";

/** Settings of {@link RunChatTransport}. */
export interface RunChatTransportOptions extends ServerOptions {
  /**
   * The path of the routes of chats. The origin of another server is `baseUrl`.
   * @defaultValue `/api/chat`
   */
  readonly api?: string;
  /**
   * Members that are sent with each question, such as the choice of a model. The `body` option of `sendMessage` adds to them.
   * @defaultValue nothing
   */
  readonly body?: object | (() => object);
  /**
   * The user who is signed in. Set it if users can change without a reload of the page: views of different users share nothing.
   * @defaultValue none: the page has one user, that of its session
   */
  readonly userId?: string;
}

type Send<Message extends UIMessage> = Parameters<ChatTransport<Message>["sendMessages"]>[0];
type Reconnect<Message extends UIMessage> = Parameters<
  ChatTransport<Message>["reconnectToStream"]
>[0];

/**
 * The transport of `useChat` for chats of `createChats`. It sends a question to the routes of chats, and follows its answer as a run. All
 * chats of a page share one connection. A lost connection or a restart of the server shows only as a pause.
 *
 * @example
 * const transport = new RunChatTransport({ body: { model: "small" } });
 * const watch = transport.watch(chat);
 * const leave = watch.subscribe(() => show(watch.getSnapshot().isWaiting));
 */
export class RunChatTransport<
  Message extends UIMessage = UIMessage,
> implements ChatTransport<Message> {
  /** A resumed answer comes from its start. */
  readonly resumeStreamIsReplay = true;
  readonly #options: RunChatTransportOptions;
  readonly #calls: ChatCalls;
  readonly #chats = new Map<string, PageChat>();

  /** @throws TypeError if `api` is not a path, which begins with a slash */
  constructor(options: RunChatTransportOptions = {}) {
    const { api = "/api/chat" } = options;
    if (!api.startsWith("/"))
      throw new TypeError(`Expected api to be a path, such as /api/chat, got ${api}.`);
    this.#options = options;
    this.#calls = new ChatCalls(options, api);
  }

  /**
   * Sends the last message. While the server does not answer, it is sent again, for 10 s. It is answered once.
   * @param options an abort of `abortSignal` ends the stream, but not the answer: {@link RunChatTransport.stop} does that
   * @throws RunEventsError `topic_busy` while the chat is answered, or any other refusal; `store_unavailable`
   */
  async sendMessages(options: Send<Message>): Promise<ReadableStream<UIMessageChunk>> {
    const { chatId, messages, trigger, messageId, abortSignal } = options;
    // A question that was given up before it was sent must not be answered.
    abortSignal?.throwIfAborted();
    const { body = {} } = this.#options;
    const question = {
      ...(typeof body === "function" ? body() : body),
      ...options.body,
      id: chatId,
      message: messages.at(-1),
      trigger,
      messageId,
    };
    const chat = this.#chat(chatId);
    const headers = Object.fromEntries(new Headers(options.headers));
    const sending = this.#revived(this.#calls.send(question, headers));
    chat.sent = sending.catch(() => (chat.isCut = true));
    return this.#show(chat, chatId, () => untilAborted(sending, abortSignal), abortSignal);
  }

  /**
   * Follows the answer that is being made, from its start.
   * @returns `null` if the chat is not being answered
   * @throws RunEventsError a refusal; `store_unavailable`
   */
  async reconnectToStream({
    chatId,
    abortSignal,
  }: Reconnect<Message>): Promise<ReadableStream<UIMessageChunk> | null> {
    const chat = this.#chat(chatId);
    const { next } = chat;
    chat.next = undefined;
    const find = async (): Promise<string | null> =>
      next === undefined ? this.#revived(this.#calls.active(chatId, abortSignal)) : next;
    return this.#show(chat, chatId, find, abortSignal);
  }

  /**
   * Stops the answer that is being made, in any process. If a question is being sent, it waits for that first.
   * @returns whether there was one
   * @throws RunEventsError a refusal; `store_unavailable` if the server did not answer for 10 s
   */
  async stop(chatId: string): Promise<boolean> {
    await this.#chat(chatId).sent;
    return this.#revived(this.#calls.stop(chatId));
  }

  /**
   * Makes a store of the chat's connection state. While it has a subscriber, it shows the messages that the server has. A turn that
   * another tab or device begins appears too.
   * @param chat what `useChat` returns. Its `messages` at this call are those with which the page begins
   */
  watch(chat: WatchedChat<Message>): Store<ChatStanding> {
    const runs = createRunsStore({ ...this.#options, topic: chat.id });
    const read: ChatCalls["read"] = (chatId, signal) => this.#calls.read(chatId, signal);
    return new ChatWatch(chat, this.#chat(chat.id), runs, read);
  }

  /** Shows the answer of the run that is found. Until its end the page is busy. */
  async #show<Found extends string | null>(
    chat: PageChat,
    chatId: string,
    find: () => Promise<Found>,
    signal: AbortSignal | undefined,
  ): Promise<ReadableStream<UIMessageChunk> | Extract<Found, null>> {
    const onEnd = chat.begin();
    try {
      const runId = await find();
      if (runId !== null) {
        chat.show(runId);
        return streamAnswer(createRunStore(runId, this.#options), {
          signal,
          onSilence: () => void this.#calls.active(chatId, signal).catch(() => {}),
          onFailed: (error) => chat.fail(runId, error),
          onEnd: () => onEnd(true),
        });
      }
    } catch (error) {
      onEnd(false);
      throw error;
    }
    onEnd(false);
    return null as Extract<Found, null>;
  }

  /** Once the server has answered a user, that user may have signed in again: then all chats go on. */
  async #revived<T>(call: Promise<T>): Promise<T> {
    const answer = await call.catch((error: unknown) => {
      if (isOfUser(error)) this.#revive();
      throw error;
    });
    this.#revive();
    return answer;
  }

  #revive(): void {
    for (const chat of this.#chats.values()) chat.revive();
  }

  #chat(chatId: string): PageChat {
    const chat = this.#chats.get(chatId) ?? new PageChat();
    this.#chats.set(chatId, chat);
    return chat;
  }
}

/** Whether a server has refused a call of a user whom it knows. An abort is no such error. */
function isOfUser(error: unknown): boolean {
  const { retryable, code } = error as Partial<RunEventsError>;
  return retryable === false && code !== "unauthenticated";
}
