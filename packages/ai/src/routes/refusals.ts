import { RunEventsError, type RunEventsErrorCode } from "@tm/run-events-core";

/** The statuses of the refusals. Any other error is thrown to the host. */
const STATUSES: Partial<Record<RunEventsErrorCode, number>> = {
  invalid_request: 400,
  unauthenticated: 401,
  cross_site_request: 403,
  not_found: 404,
  topic_busy: 409,
  run_finished: 409,
  claimed: 409,
  payload_too_large: 413,
  idempotency_key_reused: 422,
  too_many_requests: 429,
  // The process hung for longer than its lease, so nothing was recorded. Another process may succeed.
  fenced: 503,
  store_unavailable: 503,
};

/** JSON that no cache keeps. */
export function noStore(value: unknown): Response {
  return Response.json(value, { headers: { "cache-control": "private, no-store" } });
}

/** A refusal of a request. */
export function refusal(code: RunEventsErrorCode, message: string): RunEventsError {
  return new RunEventsError(code, message);
}

/**
 * The response to a refusal, as `application/problem+json`.
 * @throws any other error
 */
export function refused(error: unknown): Response {
  const status = error instanceof RunEventsError ? STATUSES[error.code] : undefined;
  if (!(error instanceof RunEventsError) || status === undefined) throw error;
  const { code, message, details } = error;
  const headers = {
    "content-type": "application/problem+json",
    "cache-control": "private, no-store",
    ...((status === 429 || status === 503) && { "retry-after": "1" }),
  };
  return Response.json({ ...details, status, code, detail: message }, { status, headers });
}

/**
 * The id and the call that a path under `api` names: `send` for `api` itself, and `messages` for an id alone. A slash at the end of either
 * is ignored: some hosts add it.
 */
export function parsePath(path: string, api: string): readonly [id: string, call: string] {
  const [base, asked] = [api, path].map((one) => one.replace(/\/$/, "")) as [string, string];
  if (asked === base) return ["", "send"];
  const rest = asked.startsWith(`${base}/`) ? asked.slice(base.length + 1) : "";
  const [, id = "", call = "messages"] = /^([^/]+)(?:\/(stream|stop))?$/.exec(rest) ?? [];
  if (id === "") return ["", ""];
  try {
    return [decodeURIComponent(id), call];
  } catch {
    throw refusal(
      "invalid_request",
      "Expected an id in the path, got a broken escape. Encode it with `encodeURIComponent`.",
    );
  }
}

/**
 * Checks an id that a request sends in its body.
 * @throws RunEventsError `invalid_request` for dots alone: a path with them is another path, even if they are escaped
 */
export function checkPathId(id: string): string {
  if (id !== "." && id !== "..") return id;
  throw refusal(
    "invalid_request",
    "Expected an id other than `.` and `..`, got one of them. Choose another id.",
  );
}
