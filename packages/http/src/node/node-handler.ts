import type { IncomingMessage, ServerResponse } from "node:http";
import type { Exchange, Reply, StreamReply } from "../exchange/exchange.ts";
import type { bounds } from "@tm/run-events-core/wire";
import { sendAnswer } from "./send-answer.ts";
import { NodeExchange } from "./node-exchange.ts";
import { ResponseSink } from "./sink.ts";
import type { Drainable, HandlerOptions, OwnMethods } from "../service/options.ts";
import { Service } from "../service/service.ts";

/** A handler of node:http requests, for node:http and frameworks that expose its request and response. Made by {@link createNodeHandler}. */
export interface NodeHandler extends Drainable {
  /**
   * Answers a request. An unknown path gets a 404 problem. Never throws.
   * @param awaitsContinue whether node has not yet sent the 100 that the client waits for, as in its event `checkContinue`. The 100
   * is then sent when the body is read, so that a refusal needs no body
   * @defaultValue `awaitsContinue`: `false`
   */
  handle(request: IncomingMessage, response: ServerResponse, awaitsContinue?: boolean): void;
  /**
   * Answers a request to a path of the host's own, as those of runs are answered: preflights, `HEAD`, unknown methods and errors too.
   * Never throws.
   * @see clauses W3, W19 and W49 in `WIRE.md`
   */
  answer(
    request: IncomingMessage,
    response: ServerResponse,
    methods: OwnMethods<IncomingMessage>,
  ): void;
  /** Sends an answer of the host's own. A client that is still sending its body gets it whole. Never throws. */
  send(request: IncomingMessage, response: ServerResponse, reply: Reply): void;
}

/**
 * Makes a handler that serves runs on node:http. Live streams of one run share the bytes that they send.
 * @throws TypeError without valid `runs` or `authenticate`, or for a bad `basePath`
 * @example
 * const handler = createNodeHandler({ runs, authenticate });
 * createServer((request, response) => handler.handle(request, response)).listen(8080);
 */
export function createNodeHandler(options: HandlerOptions<IncomingMessage>): NodeHandler {
  const service = new Service(options);
  const stall = { clock: service.clock, stallMs: service.stallMs };

  async function run(
    request: IncomingMessage,
    response: ServerResponse,
    exchange: NodeExchange,
    answer: (holding: bounds.Holding) => Reply | Promise<Reply | StreamReply>,
  ): Promise<void> {
    // After an error of the connection comes `close`, which does the cleaning up.
    response.on("error", ignore);
    const holding = service.open();
    try {
      const reply = await answer(holding);
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
      // Only node:http can throw here, when it refuses to send something.
      response.destroy(error instanceof Error ? error : undefined);
    }
  }

  return {
    handle(request, response, awaitsContinue = false) {
      const exchange = new NodeExchange(request, response, awaitsContinue);
      void run(request, response, exchange, (holding) =>
        service.answer(exchange, request, holding),
      );
    },
    answer(request, response, methods) {
      const exchange = new NodeExchange(request, response, false);
      void run(request, response, exchange, (holding) =>
        service.answerOwn(exchange, request, holding, methods),
      );
    },
    send(request, response, reply) {
      const exchange = new NodeExchange(request, response, false);
      void run(request, response, exchange, () => service.complete(exchange, reply));
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
