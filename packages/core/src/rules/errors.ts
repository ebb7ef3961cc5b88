import { CLOSED, ERROR, hasBrand } from "./brand.ts";
import { checkHost } from "./check-host.ts";
import type { RunStatus, TerminalStatus } from "./event.ts";

// In this module, since every package needs it before anything else of its own: so no bundler leaves it out.
checkHost(globalThis as unknown as Readonly<Record<string, unknown>>);

/**
 * Why a call was refused or failed. Codes are API: their meaning never changes within a major version. Messages are not.
 * @see W3
 */
export type RunEventsErrorCode =
  | "unauthenticated"
  | "session_required"
  | "not_found"
  | "invalid_request"
  | "invalid_cursor"
  | "cursor_ahead"
  | "run_finished"
  | "run_id_taken"
  | "run_active"
  | "claimed"
  | "fenced"
  | "sequence_conflict"
  | "payload_too_large"
  | "invalid_event"
  | "idempotency_key_reused"
  | "cross_site_request"
  | "too_many_requests"
  | "store_unavailable"
  | "internal";

/** Facts that some codes carry, safe to show to the caller. */
export interface RunEventsErrorDetails {
  /** The run's last sequence: with `cursor_ahead`, `run_finished`, `sequence_conflict`, and after a broken NDJSON line. */
  readonly lastSequence?: number;
  /** The terminal status, with `run_finished`. */
  readonly runStatus?: RunStatus;
  /** When the lease runs out that somebody else has, with `claimed`: ISO 8601 with milliseconds. @see W31 */
  readonly expiresAt?: string;
  /** The index of the event in its batch, from 0, with `invalid_event` and `payload_too_large`. */
  readonly index?: number;
  /** The number of the NDJSON line, from 1. @see W12 */
  readonly line?: number;
  /** What a server said in `Retry-After`, in milliseconds. @see W3 */
  readonly retryAfterMs?: number;
}

/** What an error is made with, beside its code and message. */
export interface RunEventsErrorOptions {
  readonly cause?: unknown;
  readonly details?: RunEventsErrorDetails;
  /** Whether the same call may succeed later. Default: only for `store_unavailable` and `too_many_requests`. */
  readonly retryable?: boolean;
  /** Whether the append may have landed although it failed. Default `false`. @see S7 */
  readonly ambiguous?: boolean;
}

/**
 * The one error class. A driver's own error is its `cause` and never part of its message. `instanceof` also accepts the errors of
 * another copy of this package.
 * @see S20
 */
export class RunEventsError extends Error {
  override readonly name = "RunEventsError";
  readonly code: RunEventsErrorCode;
  readonly details: RunEventsErrorDetails;
  readonly retryable: boolean;
  readonly ambiguous: boolean;

  constructor(
    code: RunEventsErrorCode,
    message: string,
    {
      cause,
      details = {},
      retryable = code === "store_unavailable" || code === "too_many_requests",
      ambiguous = false,
    }: RunEventsErrorOptions = {},
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.details = details;
    this.retryable = retryable;
    this.ambiguous = ambiguous;
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    // A class that extends this one has instances of its own.
    return this === RunEventsError
      ? hasBrand(value, ERROR)
      : Function.prototype[Symbol.hasInstance].call(this, value);
  }

  static {
    Object.defineProperty(this.prototype, ERROR, { value: true });
  }
}

const REFUSALS: ReadonlySet<RunEventsErrorCode> = new Set(["fenced", "run_finished", "not_found"]);

/** Whether a worker's run is not, or no longer, its to write. @see S22 */
export function isRefusal(error: unknown): boolean {
  return error instanceof RunEventsError && REFUSALS.has(error.code);
}

/** The error of a run that is not there, or is not the caller's: the two look the same. @see W4 */
export function runNotFound(): RunEventsError {
  return new RunEventsError("not_found", "There is no such run.");
}

/** The error of a run that has ended, and takes nothing any more. @see W7 */
export function runFinished(runStatus: TerminalStatus, lastSequence: number): RunEventsError {
  return new RunEventsError("run_finished", "The run has finished.", {
    details: { runStatus, lastSequence },
  });
}

/** The error of a writer who does not have the run, or no longer. @see W32 */
export function runFenced(): RunEventsError {
  return new RunEventsError(
    "fenced",
    "Expected the fence of the run's lease: another worker has the run, or its owner has ended the lease.",
  );
}

/** The error of a call that comes after `close`. */
export function storeClosed(): RunEventsError {
  return closed("The store is closed.");
}

/** Why a worker stops when its process shuts down, which is not an outage. @see S18 */
export function processClosing(): RunEventsError {
  return closed(
    "This process is shutting down: `close` was called. Another worker may go on with the run.",
  );
}

/** Whether a call failed because the store is closed: then it fails for ever. */
export function isStoreClosed(error: unknown): boolean {
  return hasBrand(error, CLOSED);
}

function closed(message: string): RunEventsError {
  const error = new RunEventsError("store_unavailable", message, { retryable: false });
  return Object.defineProperty(error, CLOSED, { value: true });
}
