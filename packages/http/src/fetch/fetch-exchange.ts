import type { Exchange } from "../exchange/exchange.ts";
import { readPieces } from "../request/read-pieces.ts";

/** A `Request` as the routes see it. */
export function exchangeOf(request: Request): Exchange {
  const url = new URL(request.url);
  return {
    method: request.method,
    path: url.pathname,
    wholePath: url.pathname,
    query: url.searchParams,
    // The URL of a `Request` has its host. A `Host` header may be missing, since fetch does not let a caller set it.
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
): AsyncGenerator<Uint8Array, void, undefined> {
  if (body === null) return;
  const reader = body.getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
  } finally {
    reader.releaseLock();
  }
}
