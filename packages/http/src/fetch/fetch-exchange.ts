import { bounds } from "@tm/run-events-core/wire";
import type { Exchange } from "../exchange/exchange.ts";
import { parseQuery } from "../exchange/query.ts";

/**
 * A `Request` as the routes see it.
 * @param answered resolves with the answer. What is left of a refused body is then read, and discarded
 */
export function exchangeOf(request: Request, answered: Promise<void>): Exchange {
  const url = new URL(request.url);
  let query: URLSearchParams | null = null;
  return {
    method: request.method,
    path: url.pathname,
    wholePath: url.pathname,
    get query() {
      return (query ??= parseQuery(url.search.slice(1)));
    },
    // The URL of a `Request` has its host. A `Host` header may be missing, since fetch does not let a caller set it.
    header: (name) => request.headers.get(name) ?? (name === "host" ? url.host : null),
    body: () => bounds.piecesOf(unreadBody(request), answered),
    readBody: async (maxBytes, grow) =>
      bounds.readPieces(bounds.piecesOf(unreadBody(request), answered), maxBytes, grow),
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
