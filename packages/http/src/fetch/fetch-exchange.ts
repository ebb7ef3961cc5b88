import type { Exchange } from "../exchange/exchange.ts";
import { readPieces } from "../request/read-pieces.ts";

/** The most bytes of a refused body that are read after its answer. */
const REST_BYTES = 4_194_304;

/** A `Request` as the routes see it. */
export interface FetchExchange extends Exchange {
  /** Call it with the answer. What is left of a refused body is then read, and discarded. */
  readonly onAnswered: () => void;
}

/** Makes a {@link FetchExchange}. */
export function exchangeOf(request: Request): FetchExchange {
  const url = new URL(request.url);
  const answered = Promise.withResolvers<void>();
  return {
    method: request.method,
    path: url.pathname,
    wholePath: url.pathname,
    query: url.searchParams,
    // The URL of a `Request` has its host. A `Host` header may be missing, since fetch does not let a caller set it.
    header: (name) => request.headers.get(name) ?? (name === "host" ? url.host : null),
    body: () => readerOf(unreadBody(request), answered.promise),
    readBody: async (maxBytes, grow) =>
      readPieces(readerOf(unreadBody(request), answered.promise), maxBytes, grow),
    onAnswered: answered.resolve,
    isGone: () => request.signal.aborted,
    signal: request.signal,
    onGone(task) {
      if (request.signal.aborted) task();
      request.signal.addEventListener("abort", task, { once: true });
      return () => request.signal.removeEventListener("abort", task);
    },
  };
}

/**
 * The body of a request, which must be unread.
 * @throws TypeError if the host has read the body: an empty body would be a different request
 */
function unreadBody(request: Request): Request["body"] {
  if (!request.bodyUsed && request.body?.locked !== true) return request.body;
  throw new TypeError(
    "Expected a request with an unread body, got one whose body was read before this handler. Read `request.clone()` instead, or mount the handler before the code that reads it.",
  );
}

async function* readerOf(
  body: ReadableStream<Uint8Array> | null,
  answered: Promise<void>,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (body === null) return;
  const reader = body.getReader();
  let isWhole = false;
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
    isWhole = true;
  } finally {
    reader.releaseLock();
    if (!isWhole) void answered.then(() => discardRest(body));
  }
}

/**
 * Reads the rest of a body. A host cannot: a stream that was begun holds the rest back. To close before the client has sent all could lose
 * the answer, and the client may take the connection for one that it can use again. The host limits the time.
 */
async function discardRest(body: ReadableStream<Uint8Array>): Promise<void> {
  // A host that reads the rest itself.
  if (body.locked) return;
  const reader = body.getReader();
  try {
    for (let left = REST_BYTES; left > 0;) {
      const { done, value } = await reader.read();
      if (done) return;
      left -= value.length;
    }
  } catch {
    // The client has gone.
  } finally {
    reader.releaseLock();
  }
}
