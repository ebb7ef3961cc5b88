import type { IncomingMessage, ServerResponse } from "node:http";
import type { Exchange, StreamReply } from "../exchange/exchange.ts";
import { sendAnswer } from "./send-answer.ts";
import { NodeExchange } from "./node-exchange.ts";
import { createSink } from "./sink.ts";
import type { HandlerOptions, HandlerStats } from "../service/options.ts";
import { Service } from "../service/service.ts";

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
  const service = new Service(options);
  const stall = { clock: service.clock, stallMs: service.stallMs };

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // An error of the connection is followed by `close`, which is what ends things here.
    response.on("error", ignore);
    const exchange = new NodeExchange(request, response);
    const holding = service.open();
    try {
      const reply = await service.answer(exchange, request, holding);
      if (response.destroyed || response.writableEnded) {
        if ("stream" in reply) reply.stream.closed();
        holding.leave();
      } else if ("stream" in reply) {
        // It has a limit and bounds of its own.
        holding.leave();
        sendStream(reply, response, exchange);
      } else {
        const stop = sendAnswer(reply, request, response, stall);
        exchange.onGone(() => {
          stop();
          holding.leave();
        });
      }
    } catch (error) {
      holding.leave();
      throw error;
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
