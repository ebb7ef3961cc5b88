import type { Headers } from "./exchange.ts";

type HeaderOf = (name: string) => string | null;

/**
 * Whether a browser sent the request for a page of another origin that is not on the list. `same-site` and another port
 * are other origins. A request without `Sec-Fetch-Site` and `Origin` comes from no browser and is not foreign.
 * @see W5, W19
 */
export function isForeignOrigin(header: HeaderOf, allowedOrigins: readonly string[]): boolean {
  const origin = header("origin");
  if (origin !== null && allowedOrigins.includes(origin)) return false;
  const site = header("sec-fetch-site");
  if (site !== null) return site !== "same-origin" && site !== "none";
  if (origin === null) return false;
  const host = hostOf(origin);
  return host === null || host !== header("host");
}

/** The host and port as a `Host` header says them; `null` for an opaque origin, which is nobody's. */
function hostOf(origin: string): string | null {
  return URL.canParse(origin) ? new URL(origin).host : null;
}

/** What lets a page of an allow-listed origin read the answer. @see W19 */
export function corsHeaders(header: HeaderOf, allowedOrigins: readonly string[]): Headers {
  if (allowedOrigins.length === 0) return {};
  const origin = header("origin");
  if (origin === null || !allowedOrigins.includes(origin)) return { vary: "Origin" };
  return {
    vary: "Origin",
    "access-control-allow-origin": origin,
    "access-control-allow-credentials": "true",
    "access-control-expose-headers": "ETag, Location, Retry-After",
  };
}

/** The answer to a preflight, beside `corsHeaders`. */
export function preflightHeaders(methods: readonly string[]): Headers {
  return {
    "access-control-allow-methods": methods.join(", "),
    "access-control-allow-headers":
      "Authorization, Content-Type, Idempotency-Key, If-None-Match, Last-Event-ID",
    "access-control-max-age": "600",
  };
}
