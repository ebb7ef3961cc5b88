import type { RunEvents } from "@tm/run-events-core";
import { createHandler } from "@tm/run-events-http";
import type { UIMessage } from "ai";
import { onTestFinished } from "vitest";
import {
  type ChatStanding,
  RunChatTransport,
  type RunChatTransportOptions,
} from "../../src/ai-sdk-page.ts";
import { PageChat } from "./page-chat.ts";
import { createServer, type TestServer } from "./server.ts";

/** A server of chats with the routes of the runs. */
export interface RunServer extends TestServer {
  /** The user who is signed in; `ada` at first. */
  user: string | null;
  /** The requests so far, such as `POST /api/chat`. */
  readonly requests: readonly string[];
  /** Decides what happens to a request; by default it is answered. */
  onRequest: (request: Request, answer: () => Promise<Response>) => Promise<Response>;
  readonly fetch: typeof fetch;
  /** Breaks all streams. */
  readonly cut: () => void;
  /** The number of answers that are being read. */
  readonly openAnswers: () => number;
}

/** A page with the transport of run-events. */
export interface RunPage {
  readonly chat: PageChat;
  readonly transport: RunChatTransport;
  /** Begins to watch the chat, until the test ends or the returned function is called. */
  readonly watch: () => () => void;
  readonly standing: () => ChatStanding | undefined;
}

/** Makes such a server. @param options.heartbeatMs how often a stream checks who is signed in */
export function createRunServer(
  runs: RunEvents,
  { heartbeatMs = 15_000, leaseMs = 2_000 }: { heartbeatMs?: number; leaseMs?: number } = {},
): RunServer {
  const server = createServer(runs, { leaseMs });
  const authenticate = (): { userId: string; credential: "session" } | null =>
    all.user === null ? null : { userId: all.user, credential: "session" };
  // A page reconnects without a wait. A page that is open at the end of a test finds the runs closed: its error is ignored.
  const own = { random: () => 0, onError: () => {}, heartbeatMs };
  const handler = createHandler({ runs, authenticate, ...own });
  const requests: string[] = [];
  let cuts = new AbortController();
  let open = 0;
  async function answer(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    request.headers.set("user", request.headers.has("expired") ? "" : (all.user ?? ""));
    const response = pathname.startsWith("/v1/")
      ? await handler.fetch(request)
      : await server.handle(request);
    if (response.body === null) return response;
    // A request that is aborted breaks its answer off.
    const signal = AbortSignal.any([cuts.signal, request.signal]);
    open += 1;
    const body = breakable(response.body, signal, () => (open -= 1));
    return new Response(body, response);
  }
  const all: RunServer = {
    ...server,
    user: "ada",
    requests,
    onRequest: async (_request, answered) => answered(),
    async fetch(url, init) {
      const request = new Request(url, init);
      requests.push(`${request.method} ${new URL(request.url).pathname}`);
      const { promise: aborted, reject } = Promise.withResolvers<never>();
      request.signal.addEventListener("abort", () => reject(request.signal.reason));
      return Promise.race([all.onRequest(request, () => answer(request)), aborted]);
    },
    openAnswers: () => open,
    cut() {
      cuts.abort(new TypeError("network error"));
      cuts = new AbortController();
    },
  };
  return all;
}

/** A body that breaks off when the signal aborts. @param onEnd called once */
function breakable(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  signal: AbortSignal,
  onEnd: () => void,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const reader = body.getReader();
  let isOver = false;
  const end = (): void => {
    if (!isOver) onEnd();
    isOver = true;
  };
  return new ReadableStream({
    start(controller) {
      signal.addEventListener("abort", () => {
        if (isOver) return;
        end();
        controller.error(signal.reason);
        reader.cancel(signal.reason).catch(() => {});
      });
    },
    async pull(controller) {
      const { done, value } = await reader.read();
      if (isOver) return;
      if (done) {
        end();
        controller.close();
      } else controller.enqueue(value);
    },
    cancel(reason) {
      end();
      return reader.cancel(reason);
    },
  });
}

/** Where the server of a page is. */
export function pageOptions({ fetch }: Pick<RunServer, "fetch">): RunChatTransportOptions {
  const credential = { cookie: "session=ada" };
  return { baseUrl: "http://localhost", credential, fetch, mostDelayMs: 10 };
}

/** Opens a page of a chat, with the messages that it has. */
export function openRunPage(
  server: Pick<RunServer, "fetch">,
  chatId: string,
  messages: readonly UIMessage[] = [],
  options: RunChatTransportOptions = {},
): RunPage {
  const transport = new RunChatTransport({
    ...pageOptions(server),
    // As in a browser of its own: pages of one user in one process share a connection.
    userId: crypto.randomUUID(),
    ...options,
  });
  const chat = new PageChat(chatId, transport, messages);
  onTestFinished(() => chat.stop());
  let standing: (() => ChatStanding) | undefined;
  return {
    chat,
    transport,
    watch() {
      const store = transport.watch(chat);
      standing = store.getSnapshot;
      const leave = store.subscribe(() => {});
      onTestFinished(leave);
      return leave;
    },
    standing: () => standing?.(),
  };
}
