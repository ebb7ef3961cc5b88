import { bounds } from "@tm/run-events-core/wire";
import { exchangeOf } from "./fetch-exchange.ts";
import { createPulledBody } from "./pulled-body.ts";
import { createStreamBody } from "./stream-body.ts";
import type { Drainable, HandlerOptions } from "../service/options.ts";
import { SHORT_ANSWER } from "../service/pack.ts";
import { Service } from "../service/service.ts";

/** A handler of `Request`, for any framework that speaks `Request` and `Response`. Made by {@link createHandler}. */
export interface Handler extends Drainable {
  /** Answers a request. An unknown path gets a 404 problem. Never rejects. */
  fetch(request: Request): Promise<Response>;
}

const encoder = new TextEncoder();

/**
 * Makes a handler that serves runs over `Request` and `Response`.
 * @throws TypeError without valid `runs` or `authenticate`, or for a bad `basePath`
 * @example
 * const handler = createHandler({ runs, authenticate: async (request) => ({ userId: "ada", credential: "session" }) });
 * const response = await handler.fetch(new Request("http://localhost/v1/agent-runs"));
 */
export function createHandler(options: HandlerOptions<Request>): Handler {
  const service = new Service(options);
  const { clock, stallMs } = service;

  /** A long answer counts until the client has read it; a short one belongs to the host from here on. */
  function takenFrom(bytes: Uint8Array, { signal }: Request, holding: bounds.Holding): BodyInit {
    if (bytes.length > SHORT_ANSWER)
      return createPulledBody(bytes, { clock, stallMs, signal, onOver: () => holding.leave() });
    holding.leave();
    return bytes as Uint8Array<ArrayBuffer>;
  }

  return {
    async fetch(request) {
      const holding = service.open();
      const answered = Promise.withResolvers<void>();
      const exchange = exchangeOf(request, answered.promise);
      const reply = await service.answer(exchange, request, holding);
      answered.resolve();
      const { status, headers } = reply;
      // A live stream has other bounds.
      if ("stream" in reply || reply.body === null || request.method === "HEAD") holding.leave();
      if ("stream" in reply)
        return new Response(createStreamBody(reply, request.signal), { status, headers });
      if (reply.body === null) return new Response(null, { status, headers });
      const bytes = typeof reply.body === "string" ? encoder.encode(reply.body) : reply.body;
      return new Response(request.method === "HEAD" ? null : takenFrom(bytes, request, holding), {
        status,
        // A compressor leaves a short answer alone only if it sees the length.
        headers: { ...headers, "content-length": String(bytes.length) },
      });
    },
    drain: (windowMs) => service.drain(windowMs),
    stats: () => service.stats(),
  };
}
