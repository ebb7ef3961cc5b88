import { RunEventsError, type RunEventsErrorCode } from "@tm/run-events-core";
import { type Headers, NO_SNIFF, type Reply } from "./exchange.ts";

/** Every code with its HTTP status: the only place where the two meet. @see clause W3 in `WIRE.md` */
export const STATUS: Readonly<Record<RunEventsErrorCode, number>> = {
  unauthenticated: 401,
  session_required: 401,
  not_found: 404,
  invalid_request: 400,
  invalid_cursor: 400,
  cursor_ahead: 409,
  run_finished: 409,
  run_id_taken: 409,
  run_active: 409,
  claimed: 409,
  fenced: 409,
  sequence_conflict: 412,
  payload_too_large: 413,
  invalid_event: 422,
  idempotency_key_reused: 422,
  cross_site_request: 403,
  too_many_requests: 429,
  store_unavailable: 503,
  internal: 500,
};

const EXTRA: Partial<Record<RunEventsErrorCode, Headers>> = {
  unauthenticated: { "www-authenticate": 'Bearer realm="run-events"' },
  session_required: { "www-authenticate": 'Session realm="run-events"' },
  too_many_requests: { "retry-after": "1" },
  store_unavailable: { "retry-after": "1" },
};

const INTERNAL = new RunEventsError("internal", "The server failed. Its log has the cause.");

/**
 * The answer to an error, as `application/problem+json` with the error's `code`. An error that is not a `RunEventsError` becomes
 * `internal`, and its message is not sent.
 * @see clause W3 in `WIRE.md`, RFC 9457
 */
export function problemOf(error: unknown): Reply & { readonly body: string } {
  const { code, message, details } = error instanceof RunEventsError ? error : INTERNAL;
  const { retryAfterMs, ...members } = details;
  const retry =
    retryAfterMs === undefined ? {} : { "retry-after": `${Math.ceil(retryAfterMs / 1_000)}` };
  return problem(STATUS[code], code, message, { ...EXTRA[code], ...retry }, members);
}

/** A problem with a status of the caller's choice. */
export function problem(
  status: number,
  code: string,
  detail: string,
  headers: Headers,
  details: object = {},
): Reply & { readonly body: string } {
  return {
    status,
    headers: {
      "content-type": "application/problem+json; charset=utf-8",
      "cache-control": "private, no-store",
      ...NO_SNIFF,
      ...headers,
    },
    body: JSON.stringify({
      type: "about:blank",
      title: TITLES[status] ?? "Error",
      status,
      code,
      detail,
      ...details,
    }),
  };
}

/**
 * The answer to a method that a path does not have: 405 with `Allow`.
 * @param methods the methods of the path; `HEAD` is added where `GET` is
 * @see clause W3 in `WIRE.md`
 */
export function methodNotAllowed(methods: readonly string[]): Reply {
  const allow = allowedMethods(methods).join(", ");
  const detail = `Expected one of the methods ${allow} at this path, got another one.`;
  return problem(405, "invalid_request", detail, { allow });
}

/** A path's methods as headers list them. */
export function allowedMethods(methods: readonly string[]): readonly string[] {
  return methods.flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method]));
}

// With the type "about:blank" the title is the phrase of the status (RFC 9457, section 4.2.1).
const TITLES: Readonly<Record<number, string>> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  409: "Conflict",
  412: "Precondition Failed",
  413: "Content Too Large",
  422: "Unprocessable Content",
  429: "Too Many Requests",
  500: "Internal Server Error",
  503: "Service Unavailable",
};
