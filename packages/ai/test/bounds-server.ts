import { createMemoryStore, createRunEvents } from "@tm/run-events-core";
import { serve } from "@hono/node-server";
import type { UIMessageChunk } from "ai";
import { createThreads } from "../src/ag-ui.ts";
import { createChats } from "../src/ai-sdk.ts";

// A server of chats and threads whose models never end. The header `user` names the user.
const runs = createRunEvents({ store: createMemoryStore() });
const authenticate = (request: Request): string | null => request.headers.get("user");

const chat = createChats({ runs }).routes({
  authenticate,
  answer({ body, messages, signal }) {
    return new ReadableStream<UIMessageChunk>({
      start(controller) {
        // As a real model does, it holds the question until it ends.
        signal.addEventListener("abort", () => controller.error([body, messages]));
      },
    });
  },
});
const thread = createThreads({ runs }).routes({
  authenticate,
  async *agent({ input, signal }) {
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    yield { type: "RUN_FINISHED", input };
  },
});
const isChat = ({ url }: Request): boolean => new URL(url).pathname.startsWith("/api/chat");
const fetch = (request: Request): Promise<Response> =>
  isChat(request) ? chat(request) : thread(request);
serve({ fetch, port: 0, hostname: "127.0.0.1" }, ({ port }) => process.send?.(port));
