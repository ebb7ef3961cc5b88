import { RUN_NOT_FOUND, RunEventsError } from "../rules/errors.ts";
import { encodeFrame, NO_RETRY_MS } from "./frame.ts";

/**
 * Why a stream ends before its run does. A reader comes back by itself after the retryable ones.
 * @see clause W22 in `WIRE.md` of `@tm/run-events-http`
 */
export type StreamErrorCode =
  | "store_unavailable"
  | "overloaded"
  | "slow_consumer"
  | "draining"
  | "max_age"
  | "cursor_ahead"
  | "history_changed"
  | "unauthenticated"
  | "not_found"
  | "internal";

interface StreamErrorRule {
  readonly retryable: boolean;
  readonly message: string;
}

/** The message of each code, and whether a reader may come back. */
export const STREAM_ERRORS: Readonly<Record<StreamErrorCode, StreamErrorRule>> = {
  store_unavailable: {
    retryable: true,
    message:
      "Expected the store and the check of the session to answer, but one of them failed. Reconnect.",
  },
  overloaded: {
    retryable: true,
    message:
      "Expected fewer open streams, or fewer runs in them: this user or this server has too many. Close some, or poll.",
  },
  slow_consumer: {
    retryable: true,
    message: "Expected the reader to take bytes, but it took none for too long. Reconnect.",
  },
  draining: { retryable: true, message: "The server is shutting down. Reconnect." },
  max_age: { retryable: true, message: "The stream has reached its maximum age. Reconnect." },
  cursor_ahead: {
    retryable: false,
    message: "Expected a cursor within the log, but it is past the end. Read the log again from 0.",
  },
  history_changed: {
    retryable: false,
    message:
      "Expected the log that was read, but it has lost its end, and other programs may have appended since. Read the log again from 0.",
  },
  unauthenticated: { retryable: false, message: "The session has ended. Sign in again." },
  not_found: { retryable: false, message: RUN_NOT_FOUND },
  internal: { retryable: false, message: "The server failed. Its log has the cause." },
};

/** The codes whose frames say where the log ends. */
const SHOW_END: ReadonlySet<StreamErrorCode> = new Set(["cursor_ahead", "history_changed"]);

/** The code that a stream ends with after this error; `internal` for any unforeseen one. */
export function streamErrorCode(error: unknown): StreamErrorCode {
  return error instanceof RunEventsError && Object.hasOwn(STREAM_ERRORS, error.code)
    ? (error.code as StreamErrorCode)
    : "internal";
}

/** The subject of an `error` frame. @see clauses W47 and W48 in `WIRE.md` of `@tm/run-events-http` */
interface ErrorSubject {
  readonly lastSequence?: number;
  /** The run that cannot be read on, on a stream of many runs. */
  readonly runId?: string;
  /** Whether the feed of a stream cannot be read on. */
  readonly feed?: true;
}

/**
 * The last frame of a stream that ends before its run does, or of one run or the feed on a stream of many.
 * @param retryMs `null` unless the stream ends
 * @see clauses W22, W47 and W48 in `WIRE.md` of `@tm/run-events-http`
 */
export function encodeError(
  code: StreamErrorCode,
  { runId, feed, lastSequence = 0 }: ErrorSubject,
  retryMs: number | null,
): string {
  const { retryable, message } = STREAM_ERRORS[code];
  const end = SHOW_END.has(code) ? { lastSequence } : {};
  const json = JSON.stringify({ type: "error", runId, feed, code, message, retryable, ...end });
  return encodeFrame(json, null, retryMs);
}

/** The time that a reader waits before it comes back after this error, in milliseconds. @see clause W22 in `WIRE.md` */
export function retryAfter(code: StreamErrorCode, random: () => number): number {
  return STREAM_ERRORS[code].retryable ? 500 + Math.floor(random() * 14_501) : NO_RETRY_MS;
}
