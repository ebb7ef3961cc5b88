import type { Headers, Reply } from "../exchange/exchange.ts";
import { allowedMethods } from "../exchange/problem.ts";

type HeaderOf = (name: string) => string | null;

/**
 * The headers that let a page of an allowed origin read the answer. None if the list is empty.
 * @param header returns a header of the request by its lower-case name
 * @param allowedOrigins exact origins, such as `https://app.example`
 * @see clause W19 in `WIRE.md`
 */
export function corsHeaders(header: HeaderOf, allowedOrigins: readonly string[]): Headers {
  if (allowedOrigins.length === 0) return {};
  const origin = header("origin");
  if (origin === null || !allowedOrigins.includes(origin)) return { vary: "Origin" };
  return {
    vary: "Origin",
    "access-control-allow-origin": origin,
    "access-control-allow-credentials": "true",
    "access-control-expose-headers": "ETag, Location, Retry-After, Run-Retention",
  };
}

/** Whether the request is a CORS preflight for a page of an allowed origin. @see clause W19 in `WIRE.md` */
export function isPreflight(
  method: string,
  header: HeaderOf,
  allowedOrigins: readonly string[],
): boolean {
  return (
    method === "OPTIONS" &&
    allowedOrigins.includes(header("origin") ?? "") &&
    header("access-control-request-method") !== null
  );
}

/**
 * The answer to a CORS preflight, without {@link corsHeaders}: add them.
 * @param methods the methods of the path; `HEAD` is added where `GET` is
 */
export function preflightReply(methods: readonly string[]): Reply {
  return {
    status: 204,
    headers: {
      "access-control-allow-methods": allowedMethods(methods).join(", "),
      "access-control-allow-headers":
        "Authorization, Content-Type, Idempotency-Key, If-None-Match, Last-Event-ID, Run-Fence",
      "access-control-max-age": "600",
    },
    body: null,
  };
}
