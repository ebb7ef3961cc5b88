import { RunEventsError, type RunEventsErrorCode } from "../rules/errors.ts";
import { encodeFrame, encodeFrames, NO_RETRY_MS } from "./frame.ts";

/**
 * Why a stream ends before its run does. A reader comes back by itself after the retryable ones.
 * @see W22
 */
export type StreamErrorCode =
  | "store_unavailable"
  | "overloaded"
  | "slow_consumer"
  | "draining"
  | "max_age"
  | "cursor_ahead"
  | "unauthenticated"
  | "not_found"
  | "internal";

interface StreamErrorRule {
  readonly retryable: boolean;
  readonly message: string;
}

/** Each code with what the frame says of it. */
export const STREAM_ERRORS: Readonly<Record<StreamErrorCode, StreamErrorRule>> = {
  store_unavailable: {
    retryable: true,
    message: "The store, or the check of the session, failed.",
  },
  overloaded: {
    retryable: true,
    message: "This user has too many streams open, or the server has. Close some, or poll.",
  },
  slow_consumer: { retryable: true, message: "The reader took nothing for too long." },
  draining: { retryable: true, message: "The server is going down." },
  max_age: { retryable: true, message: "The stream has reached its greatest age." },
  cursor_ahead: { retryable: false, message: "The cursor is past the end of the log." },
  unauthenticated: { retryable: false, message: "The session is over." },
  not_found: { retryable: false, message: "There is no such run." },
  internal: { retryable: false, message: "The server failed." },
};

const FROM_ERROR: Partial<Record<RunEventsErrorCode, StreamErrorCode>> = {
  store_unavailable: "store_unavailable",
  cursor_ahead: "cursor_ahead",
  unauthenticated: "unauthenticated",
  not_found: "not_found",
};

/** The code that a stream ends with after this error; anything unforeseen is `internal`. */
export function streamErrorCode(error: unknown): StreamErrorCode {
  return (error instanceof RunEventsError ? FROM_ERROR[error.code] : undefined) ?? "internal";
}

/** What an `error` frame says. */
export interface StreamFailure {
  readonly code: StreamErrorCode;
  readonly message: string;
  readonly retryable: boolean;
  readonly lastSequence?: number;
}

/** The last frame of a stream that ends before its run does. @see W22 */
export function encodeStreamError(failure: StreamFailure, retryMs: number): string {
  const { code, message, retryable, lastSequence } = failure;
  return encodeFrame(
    JSON.stringify({ type: "error", code, message, retryable, lastSequence }),
    null,
    retryMs,
  );
}

/** How long a reader waits before it comes back after this error, in milliseconds. @see W22 */
export function retryAfter(code: StreamErrorCode, random: () => number): number {
  return STREAM_ERRORS[code].retryable ? 500 + Math.floor(random() * 14_501) : NO_RETRY_MS;
}

/** The last frame of a stream that ends with this error, as bytes. */
export function encodeFailure(
  code: StreamErrorCode,
  lastSequence: number,
  random: () => number,
): Uint8Array {
  const { retryable, message } = STREAM_ERRORS[code];
  const details = code === "cursor_ahead" ? { lastSequence } : {};
  const failure = { code, message, retryable, ...details };
  return encodeFrames([encodeStreamError(failure, retryAfter(code, random))]);
}
