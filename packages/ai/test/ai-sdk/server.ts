import type { RunEvents } from "@tm/run-events-core";
import type { UIMessage } from "ai";
import { type Chats, type ChatsOptions, createChats } from "../../src/ai-sdk.ts";
import { defaultTransport, PageChat } from "./page-chat.ts";
import { createWrittenModel, type WrittenModel } from "./written-model.ts";

/** A server of chats, with its own connection to the store and its own model. */
export interface TestServer {
  readonly runs: RunEvents;
  readonly chats: Chats<UIMessage>;
  readonly model: WrittenModel;
  readonly handle: (request: Request) => Promise<Response>;
  /** Opens a page of a chat, with the messages that it has now. */
  readonly openPage: (chatId: string) => Promise<PageChat>;
  /** Asks one of the routes. */
  readonly ask: (method: string, path: string, body?: unknown) => Promise<Response>;
  /** The messages of a chat. */
  readonly read: (chatId: string) => Promise<readonly UIMessage[]>;
}

/** Makes a server. Its user is `ada`, or the one whom the header `user` names. An empty header is a missing credential. */
export function createServer(runs: RunEvents, options: Partial<ChatsOptions> = {}): TestServer {
  const chats = createChats({ runs, leaseMs: 2_000, ...options });
  const model = createWrittenModel();
  const handle = chats.routes({
    authenticate: (request) => (request.headers.get("user") ?? "ada") || null,
    answer: model.answer,
  });
  const read = async (chatId: string): Promise<readonly UIMessage[]> =>
    (await chats.read(chatId, { ownerId: "ada" })).messages;
  return {
    runs,
    chats,
    model,
    handle,
    read,
    openPage: async (chatId) => new PageChat(chatId, defaultTransport(handle), await read(chatId)),
    ask: (method, path, body) =>
      handle(
        new Request(`http://localhost/api/chat${path}`, {
          method,
          ...(body !== undefined && {
            body: JSON.stringify(body),
            headers: { "content-type": "application/json" },
          }),
        }),
      ),
  };
}
