import { encodeFrames, encodeStreamError, NO_RETRY_MS } from "./frame.ts";
import { STREAM_ERRORS, type StreamErrorCode } from "./stream-error.ts";

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
