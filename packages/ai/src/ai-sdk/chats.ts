import { RunEventsError } from "@tm/run-events-core";
import { safeValidateUIMessages, type UIMessage, type UIMessageChunk } from "ai";
import { requests } from "@tm/run-events-core/wire";
import { alsoKept } from "../produce/ask-to-stay.ts";
import { isFlatJson } from "../runs/event-parts.ts";
import { ownersOf } from "../produce/record-options.ts";
import type { StreamRuns } from "../runs/stream-runs.ts";
import { findLive, listTopic, stopLive } from "../runs/topic-runs.ts";
import { foldAnswers, followAnswer } from "./answers.ts";
import { type ChatParts, type ChatRoutesOptions, createChatRoutes } from "./routes.ts";
import {
  type Answer,
  type AskedMessage,
  type ChatsOptions,
  type MakeAnswer,
  startAnswer,
} from "./start-answer.ts";

/**
 * Chats whose messages are in the logs of their answers. A `chatId` has 1 to 200 characters, none of them a control character. It is the
 * topic of the runs, so any other is refused as an `invalid_request` for its `topic`.
 */
export interface Chats<Message extends UIMessage> {
  /**
   * Begins to answer a message. A chat has one answer at a time. A message with the id of an earlier one replaces it and all after it.
   * @returns once the message is recorded. With the `idempotencyKey` of an earlier call, the answer of that call
   * @throws RunEventsError `topic_busy` (with `details.runId`) while the chat is being answered; `invalid_request` for a message that the AI SDK
   * does not take, or one of the assistant that the chat does not have; `run_finished` if the answer ended before its message was
   * recorded; `idempotency_key_reused` for another message under the same key; `fenced` if the process hung for longer than its lease, so
   * that nothing was recorded; `store_unavailable`
   * @throws what `spill` or `waitUntil` throws
   */
  answer(chat: AskedMessage<Message>, make: MakeAnswer<Message>): Promise<Answer>;
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
   * Finds the answer that is being made. One whose process has died is ended.
   * @returns its run; `null` if the chat is not being answered
   * @throws RunEventsError `invalid_request`, `store_unavailable`
   */
  active(
    chatId: string,
    owner: { readonly ownerId: string },
  ): Promise<{ readonly runId: string } | null>;
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
 * @throws TypeError for a `leaseMs` or a `mergeMs` out of bounds, and a `describeError` that is not a function
 *
 * @example
 * const chats = createChats({ runs });
 * const { stream } = await chats.answer({ chatId, ownerId: "ada", message }, ({ messages, signal }) => askModel(messages, signal));
 * const { messages } = await chats.read(chatId, { ownerId: "ada" });
 */
export function createChats<Message extends UIMessage = UIMessage>(
  options: ChatsOptions,
): Chats<Message> {
  const streamsOf = ownersOf(options, "ai-sdk");
  const answer: ChatParts<Message>["answer"] = async (chat, make, keep) => {
    const message = await checkMessage(chat.message);
    return startAnswer(streamsOf(chat), { ...chat, message }, make, alsoKept(options, keep));
  };
  const chats: Chats<Message> = {
    answer: (chat, make) => answer(chat, make, () => {}),
    async read(chatId, owner) {
      const streams = streamsOf(owner);
      await endDead(streams, chatId);
      const { messages, last } = await foldAnswers<Message>(
        streams,
        await listTopic(streams, chatId),
      );
      const isActive = last?.runStatus === "running" || last?.runStatus === "queued";
      return { messages, active: last !== null && isActive ? { runId: last.runId } : null };
    },
    async active(chatId, owner) {
      const streams = streamsOf(owner);
      await endDead(streams, chatId);
      const live = await findLive(streams, chatId);
      return live === null ? null : { runId: live.runId };
    },
    async follow(chatId, owner) {
      const streams = streamsOf(owner);
      const live = await findLive(streams, chatId);
      return live === null ? null : followAnswer(streams, live.runId);
    },
    stop: async (chatId, owner) => stopLive(streamsOf(owner), chatId),
    routes: (routesOptions) => createChatRoutes(chats, routesOptions, { answer }),
  };
  return chats;
}

/** Ends the live answer of a chat if its process has died. */
async function endDead(streams: StreamRuns, chatId: string): Promise<void> {
  const live = await findLive(streams, chatId);
  if (live !== null) await streams.endIfDead(live.runId);
}

/** @throws RunEventsError `invalid_request` for what is not a message of the user or the assistant */
async function checkMessage<Message extends UIMessage>(given: Message): Promise<Message> {
  // The check of the AI SDK recurses for each level, and so do readers of the message.
  if (isFlatJson(given)) {
    const checked = await safeValidateUIMessages<Message>({ messages: [given] });
    const [message] = checked.success ? checked.data : [];
    if (message !== undefined && message.role !== "system") return message;
  }
  throw new RunEventsError(
    "invalid_request",
    `Expected \`message\` to be a message of the user or the assistant, as the AI SDK has them, got another value. Send one with \`id\`, \`role\` and \`parts\`, nested ${requests.MAX_JSON_DEPTH} deep at most.`,
  );
}
