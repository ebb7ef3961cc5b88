import type { IncomingMessage, ServerResponse } from "node:http";
import type { Exchange, StreamReply } from "../exchange/exchange.ts";
import { sendAnswer } from "./send-answer.ts";
import { NodeExchange } from "./node-exchange.ts";
import { ResponseSink } from "./sink.ts";
import type { Drainable, HandlerOptions } from "../service/options.ts";
import { Service } from "../service/service.ts";

/** A handler of node:http requests, for node:http and frameworks that expose its request and response. Made by {@link createNodeHandler}. */
export interface NodeHandler extends Drainable {
  /** Answers a request. An unknown path gets a 404 problem. Never throws. */
  handle(request: IncomingMessage, response: ServerResponse): void;
  /**
   * Does the work for a request that the host answers itself, within the user's bounds at this handler. It counts as one of the user's
   * requests until its response has closed.
   * @param userId as `authenticate` returns it
   * @param response the response to that request, not yet ended
   * @returns what the work returns
   * @throws RunEventsError `too_many_requests`, or what the work throws
   * @see clause W49 in `WIRE.md`
   */
  workFor<Result>(
    userId: string,
    response: ServerResponse,
    work: () => Promise<Result>,
  ): Promise<Result>;
}

/**
 * Makes a handler that serves runs on node:http. Live streams of one run share the bytes that they send.
 * @throws TypeError without valid `runs` or `authenticate`, if `maxBytesPerUser` is not a number of at least 1, or for a bad `basePath`
 * @example
 * const handler = createNodeHandler({ runs, authenticate });
 * createServer((request, response) => handler.handle(request, response)).listen(8080);
 */
export function createNodeHandler(options: HandlerOptions<IncomingMessage>): NodeHandler {
  const service = new Service(options);
  const stall = { clock: service.clock, stallMs: service.stallMs };

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // After an error of the connection comes `close`, which does the cleaning up.
    response.on("error", ignore);
    const exchange = new NodeExchange(request, response);
    const holding = service.open();
    try {
      const reply = await service.answer(exchange, request, holding);
      if (hasEnded(response)) {
        if ("stream" in reply) reply.stream.closed();
        holding.leave();
      } else if ("stream" in reply) {
        // A live stream has other bounds.
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
      // Only node:http can throw here, when it refuses to send something.
      handle(request, response).catch((error: unknown) => {
        response.destroy(error instanceof Error ? error : undefined);
      });
    },
    async workFor(userId, response, work) {
      const holding = service.open();
      try {
        return await holding.enter(userId, work);
      } finally {
        if (hasEnded(response)) holding.leave();
        else response.once("close", () => holding.leave());
      }
    },
    drain: (windowMs) => service.drain(windowMs),
    stats: () => service.stats(),
  };
}

function ignore(): void {}

/** Whether the response has ended, or its client has gone. */
function hasEnded(response: ServerResponse): boolean {
  return response.destroyed || response.writableEnded;
}

function sendStream(
  { status, headers, stream }: StreamReply,
  response: ServerResponse,
  exchange: Exchange,
): void {
  exchange.onGone(() => stream.closed());
  response.writeHead(status, headers);
  // Sent now: a sink may write to the socket, so the response must hold nothing back.
  response.flushHeaders();
  stream.start(new ResponseSink(response, stream));
}
