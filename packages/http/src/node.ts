import type { IncomingMessage, ServerResponse } from "node:http";
import type { Exchange, Reply, StreamReply } from "./exchange.ts";
import { NodeExchange } from "./node-exchange.ts";
import { createSink } from "./node-sink.ts";
import { createService, type HandlerOptions, type HandlerStats } from "./service.ts";

export type { HandlerOptions, HandlerStats } from "./service.ts";

/** How long what is left of a refused body is read and thrown away before the connection is cut, in milliseconds. */
const LINGER_MS = 5_000;
/** Up to how many characters a body is given to node:http as text. */
const SHORT_BODY = 4_096;

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
    // An error of the connection is followed by `close`, which is what ends things here.
    response.on("error", ignore);
    const exchange = new NodeExchange(request, response);
    const reply = await service.answer(exchange, request);
    if (response.destroyed || response.writableEnded) {
      if ("stream" in reply) reply.stream.closed();
    } else if ("stream" in reply) {
      sendStream(reply, response, exchange);
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

function send(reply: Reply, request: IncomingMessage, response: ServerResponse): void {
  const { status, headers, body } = reply;
  if (body === null) {
    response.writeHead(status, headers);
    response.end();
  } else {
    // A short text goes out in one piece with the head, which saves a twentieth of an append; a long one would be copied
    // for it. The head is then UTF-8 like the text, which a header of the host's own need not be.
    const isShort = body.length <= SHORT_BODY && response.getHeaderNames().length === 0;
    const data = isShort ? body : Buffer.from(body);
    response.writeHead(status, {
      ...headers,
      "content-length": String(Buffer.byteLength(data)),
    });
    response.end(request.method === "HEAD" ? undefined : data);
  }
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
  exchange: Exchange,
): void {
  exchange.onGone(() => stream.closed());
  response.writeHead(status, headers);
  // Sent now, so that nothing of the response's own stands before what a sink may write to the socket.
  response.flushHeaders();
  stream.start(createSink(response, stream));
}
