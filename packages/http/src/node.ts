import type { IncomingMessage, ServerResponse } from "node:http";
import type { Exchange, Reply, StreamReply } from "./exchange.ts";
import { createSink } from "./node-sink.ts";
import { createService, type HandlerOptions, type HandlerStats } from "./service.ts";

export type { HandlerOptions, HandlerStats } from "./service.ts";

/** How long what is left of a refused body is read and thrown away before the connection is cut, in milliseconds. */
const LINGER_MS = 5_000;

/** The wire on node:http, and on every framework that hands out its request and response. */
export interface NodeHandler {
  /** Answers every path: an unknown one with a 404 problem. */
  handle(request: IncomingMessage, response: ServerResponse): void;
  /** Answers long-polls, refuses new streams, ends the open ones spread over the window. @see W27 */
  drain(windowMs: number): Promise<void>;
  stats(): HandlerStats;
}

/**
 * Serves runs on node:http. Live streams of one run share the bytes that they send.
 *
 * @example
 * const handler = createNodeHandler({ runs, authenticate });
 * createServer((request, response) => handler.handle(request, response)).listen(8080);
 */
export function createNodeHandler(options: HandlerOptions<IncomingMessage>): NodeHandler {
  const service = createService(options);

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const onGone = watchClose(response);
    // An error of the connection is followed by `close`, which is what ends things here.
    response.on("error", ignore);
    const reply = await service.answer(exchangeOf(request, onGone), request);
    if (response.destroyed || response.writableEnded) {
      if ("stream" in reply) reply.stream.closed();
    } else if ("stream" in reply) {
      sendStream(reply, response, onGone);
    } else {
      send(reply, request, response);
    }
  }

  return {
    handle(request, response) {
      // Only what node:http itself refuses to send can come here.
      handle(request, response).catch((error: unknown) => {
        response.destroy(error instanceof Error ? error : undefined);
      });
    },
    drain: (windowMs) => service.drain(windowMs),
    stats: () => service.stats(),
  };
}

function ignore(): void {}

/**
 * Listens for the end of an answer once for all who ask in turn: a listener each would stay as long as a stream lives.
 * The response's, not the request's: its `close` comes however the connection ends, and whoever has read the body.
 */
function watchClose(response: ServerResponse): Exchange["onGone"] {
  let gone = false;
  let told = ignore;
  response.on("close", () => {
    gone = true;
    told();
  });
  return (task) => {
    if (gone) task();
    else told = task;
    return () => {
      if (told === task) told = ignore;
    };
  };
}

function exchangeOf(request: IncomingMessage, onGone: Exchange["onGone"]): Exchange {
  let gone: AbortController | null = null;
  // A proxy may send the absolute form (RFC 9112, section 3.2.2).
  const url = (request.url ?? "/").replace(/^https?:\/\/[^/?]*/i, "");
  const mark = url.indexOf("?");
  return {
    method: request.method ?? "GET",
    path: mark === -1 ? url : url.slice(0, mark),
    query: new URLSearchParams(mark === -1 ? "" : url.slice(mark + 1)),
    header(name) {
      // Over HTTP/2 the host is in a field of its own (RFC 9113, section 8.3.1).
      const value =
        request.headers[name] ?? (name === "host" ? request.headers[":authority"] : null);
      return typeof value === "string" ? value : (value?.join(", ") ?? null);
    },
    // Leaving the loop early must not cut the connection: the answer is still to be sent.
    body: () => request.iterator({ destroyOnReturn: false }) as AsyncIterator<Uint8Array, unknown>,
    get signal() {
      if (gone === null) {
        const controller = new AbortController();
        onGone(() => controller.abort());
        gone = controller;
      }
      return gone.signal;
    },
    onGone,
  };
}

function send(reply: Reply, request: IncomingMessage, response: ServerResponse): void {
  const body = reply.body === null ? null : Buffer.from(reply.body);
  const length = body === null ? {} : { "content-length": String(body.length) };
  response.writeHead(reply.status, { ...reply.headers, ...length });
  response.end(request.method === "HEAD" ? undefined : (body ?? undefined));
  if (!request.complete) discardRest(request);
}

/** Closing on a client that is still sending would reset the connection, and the answer could be lost with it. */
function discardRest(request: IncomingMessage): void {
  const timer = setTimeout(() => request.destroy(), LINGER_MS);
  request.once("close", () => clearTimeout(timer));
  request.resume();
}

function sendStream(
  { status, headers, stream }: StreamReply,
  response: ServerResponse,
  onGone: Exchange["onGone"],
): void {
  onGone(() => stream.closed());
  response.writeHead(status, headers);
  // Sent now, so that nothing of the response's own stands before what a sink may write to the socket.
  response.flushHeaders();
  stream.start(createSink(response, stream));
}
