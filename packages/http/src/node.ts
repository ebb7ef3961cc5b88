import type { IncomingMessage, ServerResponse } from "node:http";
import type { OpenStream, StreamSink } from "@tm/run-events-core";
import type { Exchange, Reply, StreamReply } from "./exchange.ts";
import { createService, type HandlerOptions, type HandlerStats } from "./service.ts";

export type { HandlerOptions, HandlerStats } from "./service.ts";

/** What a response may hold before the stream waits for it, in bytes: with one slice on top it stays below 64 KiB. @see W25 */
const LOW_WATER_BYTES = 16_384;

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
    const gone = new AbortController();
    // The response, not the request: its `close` comes however the connection ends, and whoever has read the body.
    response.once("close", () => gone.abort());
    // An error of the connection is followed by `close`, which is what ends things here.
    response.on("error", () => {});
    const reply = await service.answer(exchangeOf(request, gone.signal), request);
    if (response.destroyed || response.writableEnded) {
      if ("stream" in reply) reply.stream.closed();
    } else if ("stream" in reply) {
      sendStream(reply, response);
    } else {
      send(reply, request, response);
    }
  }

  return {
    handle: (request, response) => void handle(request, response),
    drain: (windowMs) => service.drain(windowMs),
    stats: () => service.stats(),
  };
}

function exchangeOf(request: IncomingMessage, signal: AbortSignal): Exchange {
  const url = request.url ?? "/";
  const mark = url.indexOf("?");
  return {
    method: request.method ?? "GET",
    path: mark === -1 ? url : url.slice(0, mark),
    query: new URLSearchParams(mark === -1 ? "" : url.slice(mark + 1)),
    header(name) {
      const value = request.headers[name];
      return typeof value === "string" ? value : (value?.join(", ") ?? null);
    },
    // Leaving the loop early must not cut the connection: the answer is still to be sent.
    body: () => request.iterator({ destroyOnReturn: false }) as AsyncIterator<Uint8Array, unknown>,
    signal,
  };
}

function send(reply: Reply, request: IncomingMessage, response: ServerResponse): void {
  const body = reply.body === null ? null : Buffer.from(reply.body);
  const length = body === null ? {} : { "content-length": String(body.length) };
  // What is left of a refused body would otherwise be read to its end, however long that takes.
  const close = request.complete || request.httpVersionMajor > 1 ? {} : { connection: "close" };
  response.writeHead(reply.status, { ...reply.headers, ...length, ...close });
  response.end(request.method === "HEAD" ? undefined : (body ?? undefined));
}

function sendStream({ status, headers, stream }: StreamReply, response: ServerResponse): void {
  response.once("close", () => stream.closed());
  response.writeHead(status, headers);
  stream.start(createSink(response, stream));
}

/**
 * A response as a stream's transport. It counts as full while it holds more than the low water mark; the write that fills
 * it asks to be told when it has gone out, so that no `drain` event is needed, which might never come.
 */
function createSink(response: ServerResponse, stream: OpenStream): StreamSink {
  const flushed = (error?: Error | null): void => {
    if (error === undefined || error === null) stream.drained();
  };
  return {
    write(bytes) {
      if (response.writableLength + bytes.length < LOW_WATER_BYTES) {
        response.write(bytes);
        return true;
      }
      response.write(bytes, flushed);
      return false;
    },
    end: () => void response.end(),
    destroy: () => void response.destroy(),
  };
}
