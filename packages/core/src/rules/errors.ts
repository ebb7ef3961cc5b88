import { CLOSED, ERROR, hasBrand } from "./brand.ts";
import type { RunStatus, TerminalStatus } from "./event.ts";

/**
 * Why a call was refused or failed. Codes are API: their meaning never changes within a major version. Messages are not.
 * @see clause W3 in `WIRE.md` of `@tm/run-events-http`
 */
export type RunEventsErrorCode =
  | "unauthenticated"
  | "session_required"
  | "not_found"
  | "invalid_request"
  | "invalid_cursor"
  | "cursor_ahead"
  | "history_changed"
  | "run_finished"
  | "run_active"
  | "topic_busy"
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
  /** The run's last sequence: with `cursor_ahead`, `history_changed`, `run_finished`, `sequence_conflict`, and after a broken NDJSON line. */
  readonly lastSequence?: number;
  /** The terminal status, with `run_finished`. */
  readonly runStatus?: RunStatus;
  /**
   * When the lease of the worker that has the run expires, with `claimed`: ISO 8601 with milliseconds.
   * @see clause W31 in `WIRE.md` of `@tm/run-events-http`
   */
  readonly expiresAt?: string;
  /** The live run of the topic, with `topic_busy`. @see clause W35 in `WIRE.md` of `@tm/run-events-http` */
  readonly runId?: string;
  /** The index of the event in its batch, from 0, with `invalid_event` and `payload_too_large`. */
  readonly index?: number;
  /** The number of the NDJSON line, from 1. @see clause W12 in `WIRE.md` of `@tm/run-events-http` */
  readonly line?: number;
  /** A server's `Retry-After`, in milliseconds. @see clause W3 in `WIRE.md` of `@tm/run-events-http` */
  readonly retryAfterMs?: number;
}

/** Settings of a {@link RunEventsError}, besides its code and message. */
export interface RunEventsErrorOptions {
  readonly cause?: unknown;
  readonly details?: RunEventsErrorDetails;
  /**
   * Whether the same call may succeed later.
   * @defaultValue `true` for `store_unavailable` and `too_many_requests`, `false` for other codes
   */
  readonly retryable?: boolean;
  /**
   * Whether the append may have landed although it failed.
   * @defaultValue `false`
   * @see clause S7 in `STORE.md`
   */
  readonly ambiguous?: boolean;
}

/**
 * The one error class of all packages. A driver's own error is its `cause` and never part of its message. `instanceof` also accepts
 * the errors of another copy of this package.
 * @see clause S20 in `STORE.md`
 */
export class RunEventsError extends Error {
  override readonly name = "RunEventsError";
  declare readonly code: RunEventsErrorCode;
  declare readonly details: RunEventsErrorDetails;
  declare readonly retryable: boolean;
  declare readonly ambiguous: boolean;

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
    Object.assign(this, { code, details, retryable, ambiguous });
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

const REFUSALS: ReadonlySet<RunEventsErrorCode> = new Set([
  "fenced",
  "run_finished",
  "not_found",
  "history_changed",
]);

/** Whether the error says that a worker may not write to the run, or no longer. @see clause W32 in `WIRE.md` of `@tm/run-events-http` */
export function isRefusal(error: unknown): boolean {
  return error instanceof RunEventsError && REFUSALS.has(error.code);
}

/** The message of `runNotFound`. */
export const RUN_NOT_FOUND = "No run of this owner has this id. Check both.";

/** The error of a run that does not exist or belongs to another owner: the two look the same. @see clause W4 in `WIRE.md` of `@tm/run-events-http` */
export function runNotFound(): RunEventsError {
  return new RunEventsError("not_found", RUN_NOT_FOUND);
}

/** The error of a run that has finished, and takes no more events. @see clause W7 in `WIRE.md` of `@tm/run-events-http` */
export function runFinished(runStatus: TerminalStatus, lastSequence: number): RunEventsError {
  return new RunEventsError(
    "run_finished",
    `Expected a live run, but this one is ${runStatus}. Stop, or create another.`,
    {
      details: { runStatus, lastSequence },
    },
  );
}

/** The error of a writer whose lease on the run is not the current one. @see clause W32 in `WIRE.md` of `@tm/run-events-http` */
export function runFenced(): RunEventsError {
  return new RunEventsError(
    "fenced",
    "Expected the fence of the run's lease, got another one or none. Another worker may have the run: stop, or claim it.",
  );
}

/** The error of a call that comes after `close`. */
export function storeClosed(): RunEventsError {
  return closed("Expected an open store, but it is closed: `close` was called. Open a new one.");
}

/** Why a worker stops when its process shuts down, which is not an outage. @see clause S18 in `STORE.md` */
export function processClosing(): RunEventsError {
  return closed(
    "This process is shutting down: `close` was called. Another worker may continue the run.",
  );
}

/** Whether a call failed because the store is closed. Then every later call fails too. */
export function isStoreClosed(error: unknown): boolean {
  return hasBrand(error, CLOSED);
}

function closed(message: string): RunEventsError {
  const error = new RunEventsError("store_unavailable", message, { retryable: false });
  return Object.defineProperty(error, CLOSED, { value: true });
}

/** The same failure as `ambiguous`: the call may have landed after all. @see clause S7 in `STORE.md` */
export function inDoubt(error: unknown): unknown {
  if (!(error instanceof RunEventsError)) return error;
  const { code, message, details, retryable, cause } = error;
  return new RunEventsError(code, message, { cause, details, retryable, ambiguous: true });
}
