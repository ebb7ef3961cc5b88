import type { StreamSink } from "@tm/run-events-core/wire";
import { readPieces } from "./body.ts";
import type { Exchange, StreamReply } from "./exchange.ts";
import type { Holding } from "./in-flight.ts";
import { createPulledBody } from "./pulled-body.ts";
import { createService, type HandlerOptions, type HandlerStats, SHORT_ANSWER } from "./service.ts";

/** The wire as a function from `Request` to `Response`, for any framework that speaks them. */
export interface Handler {
  /** Answers every path: an unknown one with a 404 problem. */
  fetch(request: Request): Promise<Response>;
  /** Answers long-polls, refuses new streams, ends the open ones spread over the window. @see W27 */
  drain(windowMs: number): Promise<void>;
  stats(): HandlerStats;
}

const encoder = new TextEncoder();

/**
 * Serves runs over `Request` and `Response`.
 *
 * @example
 * const handler = createHandler({ runs, authenticate: async (request) => ({ userId: "ada", credential: "session" }) });
 * const response = await handler.fetch(new Request("http://localhost/v1/agent-runs"));
 */
export function createHandler(options: HandlerOptions<Request>): Handler {
  const service = createService(options);
  const { stallMs } = service;
  const { clock } = service.log;

  /** A long answer counts until the client has read it; a short one belongs to the host from here on. */
  function takenFrom(bytes: Uint8Array, { signal }: Request, holding: Holding): BodyInit {
    if (bytes.length > SHORT_ANSWER)
      return createPulledBody(bytes, { clock, stallMs, signal, onOver: () => holding.leave() });
    holding.leave();
    return bytes as Uint8Array<ArrayBuffer>;
  }

  return {
    async fetch(request) {
      const holding = service.open();
      const reply = await service.answer(exchangeOf(request), request, holding);
      const { status, headers } = reply;
      // A live stream has a limit and bounds of its own.
      if ("stream" in reply || reply.body === null || request.method === "HEAD") holding.leave();
      if ("stream" in reply)
        return new Response(bodyOf(reply, request.signal), { status, headers });
      if (reply.body === null) return new Response(null, { status, headers });
      const bytes = typeof reply.body === "string" ? encoder.encode(reply.body) : reply.body;
      return new Response(request.method === "HEAD" ? null : takenFrom(bytes, request, holding), {
        status,
        // A compressor leaves a short answer alone only if it is told the length.
        headers: { ...headers, "content-length": String(bytes.length) },
      });
    },
    drain: (windowMs) => service.drain(windowMs),
    stats: () => service.stats(),
  };
}

function exchangeOf(request: Request): Exchange {
  const url = new URL(request.url);
  return {
    method: request.method,
    path: url.pathname,
    query: url.searchParams,
    // A `Request` says its host in its URL; a `Host` header is one that fetch would not send.
    header: (name) => request.headers.get(name) ?? (name === "host" ? url.host : null),
    body: () => readerOf(unreadBody(request)),
    readBody: async (maxBytes, grow) => readPieces(readerOf(unreadBody(request)), maxBytes, grow),
    isGone: () => request.signal.aborted,
    signal: request.signal,
    onGone(task) {
      if (request.signal.aborted) task();
      request.signal.addEventListener("abort", task, { once: true });
      return () => request.signal.removeEventListener("abort", task);
    },
  };
}

/** @throws TypeError if the host has read it: an empty body would be a different request. */
function unreadBody(request: Request): Request["body"] {
  if (!request.bodyUsed && request.body?.locked !== true) return request.body;
  throw new TypeError(
    "Expected a request whose body nobody has read, got one that was read before this handler. Read `request.clone()` instead, or mount the handler before what reads it.",
  );
}

async function* readerOf(
  body: ReadableStream<Uint8Array> | null,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (body === null) return;
  const reader = body.getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
  } finally {
    reader.releaseLock();
  }
}

/**
 * The stream as a body that is pulled: one write stands ready at most, and the next is made when that has been taken. The
 * transport below is not seen, so a client that goes without a word is noticed only by its stall.
 */
function bodyOf({ stream }: StreamReply, signal: AbortSignal): ReadableStream<Uint8Array> {
  let sink: StreamSink | undefined;
  let abort = (): void => {};
  const closed = (): void => {
    signal.removeEventListener("abort", abort);
    stream.closed();
  };
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        abort = () => {
          closed();
          controller.close();
        };
        // It may have been aborted by now, and says so only once.
        if (signal.aborted) abort();
        else signal.addEventListener("abort", abort);
      },
      pull(controller) {
        if (sink !== undefined) {
          stream.drained();
          return;
        }
        sink = {
          write(bytes) {
            // A copy: whoever reads a body may change or transfer what it is given, and other streams send the same bytes.
            controller.enqueue(bytes.slice());
            return (controller.desiredSize ?? 0) > 0;
          },
          end() {
            controller.close();
            closed();
          },
          destroy() {
            controller.error(new DOMException("The stream was cut.", "AbortError"));
            closed();
          },
        };
        stream.start(sink);
      },
      cancel: closed,
    },
    { highWaterMark: 0 },
  );
}
