import type { RunEventsErrorCode } from "@tm/run-events-core";
import type { StreamErrorCode } from "@tm/run-events-core/wire";

/** A code that a caller can meet: of a problem, of an `error` frame, or of both. */
export type ErrorCode = RunEventsErrorCode | StreamErrorCode;

/** The meaning of a code, in sentences without links: they are also read far from the docs. */
interface ErrorMeaning {
  /** The same in every problem of the code. @see RFC 9457, section 3.1.3 */
  readonly title: string;
  /** The statuses of its problems, the usual one first. Empty for a code of `error` frames only. */
  readonly statuses: readonly number[];
  /** Members that its problems have besides those of every problem. */
  readonly members?: readonly string[];
  readonly cause: string;
  readonly cure: string;
  /** A case that has the code. It follows a colon. */
  readonly example: string;
  /** The meaning of the code in an `error` frame, if that differs. */
  readonly stream?: string;
}

type Meanings = Readonly<
  Record<RunEventsErrorCode, ErrorMeaning & { readonly statuses: readonly [number, ...number[]] }> &
    Record<ErrorCode, ErrorMeaning>
>;

/**
 * Every code: its statuses, which stand here alone, and what it means. Problems, the pages of `/v1/errors`, the OpenAPI document and
 * `docs/errors.md` are made of it: `pnpm run errors` writes the last one.
 * @see clauses W3 and W22 in `WIRE.md`
 */
export const ERROR_CODES: Meanings = {
  unauthenticated: {
    title: "The caller is not signed in",
    statuses: [401],
    cause: "The request has no valid credential, or the session has ended.",
    cure: "Sign in again, or send `Authorization: Bearer` with a token that the server knows.",
    example: "a token that was replaced in `API_TOKENS`.",
    stream: "The session ended while the stream was open. Sign in, and open a new stream.",
  },
  session_required: {
    title: "The live stream takes a session only",
    statuses: [401],
    cause: "The request to the live stream has a bearer token, but no session cookie.",
    cure: "Poll with `wait=30`, or get a cookie first.",
    example: '`curl -H "Authorization: Bearer …" …/stream`.',
  },
  cross_site_request: {
    title: "The request came from another site",
    statuses: [403],
    cause: "The request has a session cookie, and comes from a page of another origin.",
    cure: "Add the origin to `allowedOrigins` (`ALLOWED_ORIGINS`). Behind a proxy, pass on the `Host` header.",
    example: "a page on port 3000 that cancels a run on port 8080.",
  },
  not_found: {
    title: "The run or the path does not exist",
    statuses: [404],
    cause:
      "The run does not exist, or it is another user's: both look the same. An unknown path is 404 too.",
    cure: "Check the id, the path, and who is signed in.",
    example: "a run that a purge has removed.",
    stream: "The run was deleted or purged while the stream was open.",
  },
  invalid_request: {
    title: "The request is malformed",
    statuses: [400, 405, 408, 417, 431],
    cause:
      "A parameter, a header, an option or a body is malformed. An unknown member of a body is malformed too. With 405 the path does not have the method. The reference server also answers late headers with 408, and too long ones with 431. It answers an `Expect` that it does not know with 417.",
    cure: "Change what `detail` names, and send the request again.",
    example: "`leaseMs: 10`, where 1,000 is the least.",
  },
  invalid_cursor: {
    title: "The cursor is malformed",
    statuses: [400],
    cause: "`since` is not a non-negative integer, or is given twice.",
    cure: "For events, pass the sequence of the last event that you have, or 0.",
    example: "`since=-1`.",
  },
  invalid_event: {
    title: "An event is not valid",
    statuses: [422],
    members: ["index"],
    cause:
      "An event of the batch is not valid; `index` is its place in the batch, from 0. The type has to match `^[A-Z][A-Z0-9_]{0,63}$`. It cannot be `INPUT_RECEIVED`, which only the owner's `/input` appends, and none of those in which a server keeps chats: `UI_MESSAGE`, `UI_CHUNKS` and `UI_PART`. The payload has to be JSON, at most 1,000 levels deep. Nothing may come after the event that ends the run.",
    cure: "Correct that event and send the batch again: nothing of it was appended. In an upload, the lines before `line` were appended.",
    example: '`{"eventType":"step"}`.',
  },
  payload_too_large: {
    title: "A payload or a body is too large",
    statuses: [413],
    cause:
      "A payload, metadata or a body is larger than its bound. By default that is 256 KiB for a payload or metadata, and 4 MiB for a body. If it is the payload of an event in a batch, `index` is the place of the event, from 0.",
    cure: "Store the content elsewhere and append a reference, or split the batch.",
    example: "an image as base64 in one event.",
  },
  cursor_ahead: {
    title: "The cursor is past the end of the log",
    statuses: [409],
    members: ["lastSequence"],
    cause:
      "The cursor is larger than the last sequence of the run. The log has lost its end, as after a failover or a restored backup. Or the cursor is of another run.",
    cure: "Drop what you have, and read again from 0.",
    example: "`since=900` on a run of 40 events.",
    stream: "The cursor is past the end of the log. Read again from 0, on a new stream.",
  },
  history_changed: {
    title: "The log is not the one that was read",
    statuses: [409],
    members: ["lastSequence"],
    cause:
      "The event `since` is not in the log, or has another time than `at`. The log has lost its end, as after a failover or a restored backup. Other programs may have appended since. Or the run was deleted, and its id used again. A worker gets this code if its events land at sequences that it already knows. It also gets it if its question, or an input that it had read, is lost.",
    cure: "Drop what you have, and read again from 0. A worker stops: the next one that claims the run goes on from the log.",
    example:
      "`since=20&at=2026-01-31T08:00:00.000Z` on a run that was restored from a backup with 10 events.",
    stream:
      "Events that this reader has are not in the log any more. Read again from 0, on a new stream.",
  },
  run_finished: {
    title: "The run has finished",
    statuses: [409],
    members: ["runStatus", "lastSequence"],
    cause: "The run has ended. It takes no more events or claims.",
    cure: "Stop. A worker also gets this code after the owner's cancel.",
    example: "an append after `RUN_COMPLETED`.",
  },
  run_active: {
    title: "The run has not finished",
    statuses: [409],
    cause: "Only a finished run can be deleted.",
    cure: "Cancel it first.",
    example: "`DELETE` of a run that is `running`.",
  },
  topic_busy: {
    title: "The topic has a live run",
    statuses: [409],
    members: ["runId"],
    cause:
      "The creation was `exclusive`, and the caller has a live run of that topic. `runId` is the id of such a run.",
    cure: "Wait for the end of that run, cancel it, or show it. The topic is free the moment that run ends.",
    example: "a second question to a chat that still answers the first.",
  },
  sequence_conflict: {
    title: "Other events came first",
    statuses: [412],
    members: ["lastSequence"],
    cause: "The append named an `expectedSequence`, and other events have come since.",
    cure: "Read them, decide again, and append with the new last sequence.",
    example: "two programs that both answer event 5.",
  },
  idempotency_key_reused: {
    title: "The idempotency key belongs to other events",
    statuses: [422],
    cause: "The key was used on this run for other events.",
    cure: "Send the same events again, or use a new key.",
    example: "a key that is a user's id.",
  },
  claimed: {
    title: "Another worker has the run",
    statuses: [409],
    members: ["expiresAt"],
    cause: "Another worker has a lease on the run, until `expiresAt` or longer.",
    cure: "Try again a little after that time. If the other worker is alive, it has renewed its lease by then, and the run is still claimed.",
    example: "a second worker that gets the same job from a queue.",
  },
  fenced: {
    title: "The caller does not have the lease",
    statuses: [409],
    cause:
      "A worker has the run, and the request has no fence or an old one. Or the request has the fence of a lease that was released.",
    cure: "Stop: another worker may be at work. Claim the run again to go on.",
    example: "a process that was paused for longer than its lease.",
  },
  too_many_requests: {
    title: "The user has too much in flight",
    statuses: [429],
    cause: "The user has more requests, polls or bytes in flight than one user may have at a time.",
    cure: "Wait as long as `Retry-After` says, and send the request again. Nothing was written, except the lines of an upload before `line`.",
    example: "a script with 33 polls that are held.",
  },
  store_unavailable: {
    title: "The store is not available",
    statuses: [503],
    cause:
      "The store does not answer, fails, or cannot take more now. A `RunEventsError` has the driver's error as its `cause`.",
    cure: "Try again, as `Retry-After` says. If `retryable` of the error is false, waiting does not help: the disk is full, the password is wrong, or the store was closed.",
    example: "Postgres restarts.",
    stream: "The store, or the check of the session, failed.",
  },
  internal: {
    title: "The server failed",
    statuses: [500],
    cause: "The server failed, and no other code fits. Its log has the cause (`onError`).",
    cure: "Report it, or correct the code of yours that threw.",
    example: "`authenticate` returns a user without an id.",
  },
  overloaded: {
    title: "Too many live streams are open",
    statuses: [],
    cause:
      "The user, or the server, has too many live streams, or too many runs in them. By default a user may have 32 streams with 25,000 runs, and a process 20,000 streams with 100,000 runs.",
    cure: "Close some streams, or poll.",
    example: "a page that opens a stream for each of 40 runs.",
  },
  slow_consumer: {
    title: "The reader took nothing for too long",
    statuses: [],
    cause: "There was more to send, and the reader took nothing for `stallMs`, 30 s by default.",
    cure: "Nothing is lost: the reader goes on at its cursor. If it stalls often, do less work for each event.",
    example: "a page that a debugger has stopped while events come.",
  },
  draining: {
    title: "The server is shutting down",
    statuses: [],
    cause: "`drain` was called, as after `SIGTERM`: open streams end, and new ones are refused.",
    cure: "Nothing is lost: the reader goes on at its cursor, at another server or later at this one.",
    example: "a new version that is being installed.",
  },
  max_age: {
    title: "The stream has reached its maximum age",
    statuses: [],
    cause: "A stream lives for `maxAgeMs` at most, 15 minutes by default.",
    cure: "Nothing is lost: the reader goes on at its cursor.",
    example: "a page that follows one run for an hour.",
  },
};

/** Every code, in the order of the table. */
export const ALL_CODES = Object.keys(ERROR_CODES) as readonly ErrorCode[];

/** The codes that a problem can have. The others are of `error` frames only. */
export const PROBLEM_CODES: readonly RunEventsErrorCode[] = ALL_CODES.filter(isProblemCode);

/** Whether a text is one of the codes. */
export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(ERROR_CODES, text);
}

/** Whether a text is a code that a problem can have. */
export function isProblemCode(text: string): text is RunEventsErrorCode {
  return isErrorCode(text) && ERROR_CODES[text].statuses.length > 0;
}

/** The usual status of a code's problems. @see clause W3 in `WIRE.md` */
export function statusOf(code: RunEventsErrorCode): number {
  return ERROR_CODES[code].statuses[0];
}
