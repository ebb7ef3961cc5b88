import { RunEventsError, type RunEventsErrorCode } from "@tm/run-events-core";
import { describeValue } from "@tm/run-events-core/wire";
import { ERROR_CODES, isProblemCode, statusOf } from "./error-codes.ts";
import { type Headers, NO_SNIFF, type Reply } from "./exchange.ts";

/** Where each code is explained: the `type` of its problems. @see clause W3 in `WIRE.md` */
export const ERRORS_PATH = "/v1/errors";

const EXTRA: Partial<Record<RunEventsErrorCode, Headers>> = {
  unauthenticated: { "www-authenticate": 'Bearer realm="run-events"' },
  session_required: { "www-authenticate": 'Session realm="run-events"' },
  too_many_requests: { "retry-after": "1" },
  store_unavailable: { "retry-after": "1" },
};

const INTERNAL = new RunEventsError("internal", "The server failed. Its log has the cause.");

/**
 * The answer to an error, as `application/problem+json` with the error's `code`. An error that is not a `RunEventsError`, or has a code
 * of another version, becomes `internal`, and its message is not sent.
 * @see clause W3 in `WIRE.md`, RFC 9457
 */
export function problemOf(error: unknown): Reply & { readonly body: string } {
  const isKnown = error instanceof RunEventsError && isProblemCode(error.code);
  const { code, message, details } = isKnown ? error : INTERNAL;
  const { retryAfterMs, ...members } = details;
  const retry =
    retryAfterMs === undefined ? {} : { "retry-after": `${Math.ceil(retryAfterMs / 1_000)}` };
  return problem(statusOf(code), code, message, { ...EXTRA[code], ...retry }, members);
}

/** A problem with a status of the caller's choice. */
function problem(
  status: number,
  code: RunEventsErrorCode,
  detail: string,
  headers: Headers,
  details: object = {},
): Reply & { readonly body: string } {
  const type = `${ERRORS_PATH}/${code}`;
  const own = { type, title: ERROR_CODES[code].title, status, code, detail };
  return {
    status,
    code,
    headers: {
      "content-type": "application/problem+json; charset=utf-8",
      "cache-control": "private, no-store",
      ...NO_SNIFF,
      ...headers,
    },
    // The details of an error that came from another server have that server's `type` and `status`.
    body: JSON.stringify({ ...own, ...details, ...own }),
  };
}

/**
 * The answer to a method that a path does not have: 405 with `Allow`.
 * @param methods the methods of the path; `HEAD` is added where `GET` is
 * @param method of the request
 * @see clause W3 in `WIRE.md`
 */
export function methodNotAllowed(methods: readonly string[], method: string): Reply {
  const allow = allowedMethods(methods).join(", ");
  const detail = `Expected one of the methods ${allow} at this path, got ${describeValue(method)}.`;
  return problem(405, "invalid_request", detail, { allow });
}

/** A path's methods as headers list them. */
export function allowedMethods(methods: readonly string[]): readonly string[] {
  return methods.flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method]));
}
