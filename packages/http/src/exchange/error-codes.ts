import type { RunEventsErrorCode } from "@tm/run-events-core";

/** Every code that a problem can have: its usual status, and the title of all its problems. @see clause W3 in `WIRE.md`, RFC 9457 */
export const ERROR_CODES: Readonly<
  Record<RunEventsErrorCode, { readonly status: number; readonly title: string }>
> = {
  unauthenticated: { status: 401, title: "The caller is not signed in" },
  session_required: { status: 401, title: "The live stream takes a session only" },
  cross_site_request: { status: 403, title: "The request came from another site" },
  not_found: { status: 404, title: "The run or the path does not exist" },
  invalid_request: { status: 400, title: "The request is malformed" },
  invalid_cursor: { status: 400, title: "The cursor is malformed" },
  invalid_event: { status: 422, title: "An event is not valid" },
  payload_too_large: { status: 413, title: "A payload or a body is too large" },
  cursor_ahead: { status: 409, title: "The cursor is past the end of the log" },
  history_changed: { status: 409, title: "The log is not the one that was read" },
  run_finished: { status: 409, title: "The run has finished" },
  run_active: { status: 409, title: "The run has not finished" },
  topic_busy: { status: 409, title: "The topic has a live run" },
  sequence_conflict: { status: 412, title: "Other events came first" },
  idempotency_key_reused: { status: 422, title: "The idempotency key belongs to other events" },
  claimed: { status: 409, title: "Another worker has the run" },
  fenced: { status: 409, title: "The caller does not have the lease" },
  too_many_requests: { status: 429, title: "The user has too much in flight" },
  store_unavailable: { status: 503, title: "The store is not available" },
  internal: { status: 500, title: "The server failed" },
};

/** Every code, in the order of the table. */
export const PROBLEM_CODES = Object.keys(ERROR_CODES) as readonly RunEventsErrorCode[];

/** Whether a text is one of the codes. */
export function isProblemCode(text: string): text is RunEventsErrorCode {
  return Object.hasOwn(ERROR_CODES, text);
}

/** The usual status of a code's problems. @see clause W3 in `WIRE.md` */
export function statusOf(code: RunEventsErrorCode): number {
  return ERROR_CODES[code].status;
}
