import { describeValue } from "./describe-value.ts";
import { RunEventsError, runNotFound } from "./errors.ts";

/**
 * Where a run is in its life. The last three are terminal: no event follows them.
 * @see W6
 */
export type RunStatus = "queued" | "running" | TerminalStatus;

/** The three statuses that end a run for ever. */
export type TerminalStatus = "completed" | "failed" | "cancelled";

/**
 * One immutable fact of a run, as a reader sees it.
 * @see the wire's "Shapes"
 */
export interface RunEvent {
  /** 1, 2, 3, … within the run, without a gap. Pass the highest one seen as `since` to go on from there. */
  readonly sequence: number;
  readonly eventType: string;
  /** The payload's JSON value; `null` if the event was appended without one. */
  readonly payload: unknown;
  /** ISO 8601 with milliseconds, the store's clock; never decreases within a run. */
  readonly createdAt: string;
}

/** An event to append. */
export interface EventDraft {
  /** `^[A-Z][A-Z0-9_]{0,63}$` */
  readonly eventType: string;
  /** Any JSON value, or a `JsonText` whose tokens are kept exactly. Absent is `null`. */
  readonly payload?: unknown;
}

/** A run at one point in time. */
export interface RunSnapshot {
  readonly runId: string;
  readonly ownerId: string;
  readonly runStatus: RunStatus;
  readonly currentPhase: string | null;
  /** The sequence of the last event; 0 before the first. */
  readonly lastSequence: number;
  /** ISO 8601 with milliseconds. */
  readonly createdAt: string;
  readonly updatedAt: string;
  /** When the terminal event was appended; `null` while the run is live. */
  readonly finishedAt: string | null;
  readonly metadata: unknown;
}

/** The default bound of one payload in UTF-8 bytes of its JSON text. @see W9 */
export const MAX_PAYLOAD_BYTES = 262_144;

/** The default bound of the events in one append. @see W9 */
export const MAX_BATCH_EVENTS = 1_000;

const RUN_ID = /^[A-Za-z0-9_-]{1,128}$/;
const IDEMPOTENCY_KEY = /^[\x20-\x7e]{1,128}$/;

/** Whether the text can name a run. @see W8 */
export function isRunId(text: string): boolean {
  return typeof text === "string" && RUN_ID.test(text);
}

/**
 * Refuses an id that no run can have before any store is asked. @throws TypeError if it is not a string; RunEventsError
 * `not_found`. @see W8
 */
export function checkRunId(text: string): void {
  if (typeof text !== "string") {
    throw new TypeError(`Expected the run id to be a string, got ${describeValue(text)}.`);
  }
  if (!isRunId(text)) throw runNotFound();
}

/**
 * Passes on a key that an append may carry.
 * @throws RunEventsError `invalid_request` unless it is 1 to 128 printable ASCII characters. @see W10
 */
export function parseIdempotencyKey(text: string): string {
  if (typeof text !== "string" || !IDEMPOTENCY_KEY.test(text)) {
    throw new RunEventsError(
      "invalid_request",
      `Expected an idempotency key of 1 to 128 printable ASCII characters, got ${describeValue(text)}.`,
    );
  }
  return text;
}

/**
 * Passes on the last sequence that an append expects of its run; `null` if it expects none.
 * @throws RunEventsError `invalid_request` unless it is an integer, 0 or more. @see W11
 */
export function parseExpectedSequence(expected: number | null | undefined): number | null {
  if (expected === undefined || expected === null) return null;
  if (!Number.isSafeInteger(expected) || expected < 0) {
    throw new RunEventsError(
      "invalid_request",
      `Expected \`expectedSequence\` to be an integer, 0 or more, got ${describeValue(expected)}.`,
    );
  }
  return expected;
}
