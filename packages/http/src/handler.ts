import type { StreamSink } from "@tm/run-events-core/wire";
import { readPieces } from "./body.ts";
import type { Exchange, StreamReply } from "./exchange.ts";
import { createService, type HandlerOptions, type HandlerStats } from "./service.ts";

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
  return {
    async fetch(request) {
      const reply = await service.answer(exchangeOf(request), request);
      const { status, headers } = reply;
      if ("stream" in reply)
        return new Response(bodyOf(reply, request.signal), { status, headers });
      if (reply.body === null) return new Response(null, { status, headers });
      const body = encoder.encode(reply.body);
      return new Response(request.method === "HEAD" ? null : body, {
        status,
        // A compressor leaves a short answer alone only if it is told the length.
        headers: { ...headers, "content-length": String(body.length) },
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
    body: () => readerOf(request.body),
    readBody: (maxBytes) => readPieces(readerOf(request.body), maxBytes),
    signal: request.signal,
    onGone(task) {
      if (request.signal.aborted) task();
      request.signal.addEventListener("abort", task, { once: true });
      return () => request.signal.removeEventListener("abort", task);
    },
  };
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
