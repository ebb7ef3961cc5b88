import { describeValue } from "./describe-value.ts";
import { encodeTime } from "./encode-time.ts";
import { RunEventsError } from "./errors.ts";
import type { ReadResult } from "./page.ts";
import type { AppendReceipt } from "./receipt.ts";
import type { RunRecord } from "./run.ts";

/** Where a reader begins. */
export interface ReaderStart {
  /**
   * The last sequence that the reader has.
   * @defaultValue 0
   */
  readonly since?: number | undefined;
  /**
   * The `createdAt` of the event `since`, as that event had it. The reader then gets `history_changed` if the log has lost that event.
   * @defaultValue none: only a `since` past the end is refused
   * @see clause W46 in `WIRE.md` of `@tm/run-events-http`
   */
  readonly at?: string | undefined;
  /**
   * Begins this many events before the end, in place of `since`: 1 to 1,000. A page says where it begins.
   * @defaultValue none: `since` says where to begin
   * @see clause W45 in `WIRE.md` of `@tm/run-events-http`
   */
  readonly tail?: number | undefined;
}

/** A time in the wire's form, in milliseconds since 1970; `null` for any other text. @see clause W2 in `WIRE.md` of `@tm/run-events-http` */
export function parseTime(text: string): number | null {
  const ms = Date.parse(text);
  return Number.isFinite(ms) && encodeTime(ms) === text ? ms : null;
}

/**
 * Checks the time that a reader has of the event `since`.
 * @returns the time in milliseconds since 1970; `null` if the reader gave none
 * @throws RunEventsError `invalid_request` unless it is a time as events have it, with a `since` of at least 1
 * @see clause W46 in `WIRE.md` of `@tm/run-events-http`
 */
export function checkAt(at: string | undefined, { since = 0, tail }: ReaderStart): number | null {
  if (at === undefined) return null;
  const atMs = typeof at === "string" ? parseTime(at) : null;
  if (atMs === null) {
    throw new RunEventsError(
      "invalid_request",
      `Expected \`at\` to be the \`createdAt\` of the event \`since\`, such as 2026-01-31T08:00:00.000Z, got ${describeValue(at)}.`,
    );
  }
  if (since < 1 || tail !== undefined) {
    throw new RunEventsError(
      "invalid_request",
      "Expected `at` only with a `since` of 1 or more: it is the time of that event. Leave out `at` if you have no events.",
    );
  }
  return atMs;
}

/** The error for a reader or a worker if the log is no longer the one that it knows. @see clause W46 in `WIRE.md` of `@tm/run-events-http` */
export function historyChanged(lastSequence: number): RunEventsError {
  return new RunEventsError(
    "history_changed",
    `Expected the log that you have, but it has lost its end, and other programs may have appended since. Its last event is ${lastSequence} now. Drop what you have, and read again from 0.`,
    { details: { lastSequence } },
  );
}

/**
 * Checks that an append has landed after all that its writer knows of. Events of others may lie between; a replay may be earlier.
 * @param known the last sequence that the writer has a receipt for, or read
 * @returns the last sequence that it knows of then
 * @throws RunEventsError `history_changed`: the events have landed, but in a log that has lost its end
 * @see clause W46 in `WIRE.md` of `@tm/run-events-http`
 */
export function checkLanding(receipt: AppendReceipt, known: number): number {
  const { firstSequence, lastSequence, replayed } = receipt;
  if (replayed || firstSequence > known) return Math.max(known, lastSequence);
  throw new RunEventsError(
    "history_changed",
    `Expected the events to land after ${known}, but they landed at ${firstSequence}: the log has lost its end. Stop.`,
    { details: { lastSequence } },
  );
}

/** The time of a log's last event, which the head has: 0 without an event. */
export function timeOfEnd({ lastSequence, updatedAtMs }: RunRecord): number {
  return lastSequence === 0 ? 0 : updatedAtMs;
}

/** The time of the event `since` as a read with `withTime` found it, for a reader at that cursor: 0 before the first event. */
export function timeAtSince({ run, timeAtSinceMs }: ReadResult, since: number): number {
  return since >= run.lastSequence ? timeOfEnd(run) : (timeAtSinceMs ?? 0);
}

/**
 * Checks that a log is the one that was read.
 * @param result a read after `since`, made with `withTime`
 * @param atMs the time of the event `since` as it was read; 0 for a `since` of 0
 * @throws RunEventsError `history_changed` if that event is not there, or has another time
 * @see clause W46 in `WIRE.md` of `@tm/run-events-http`
 */
export function checkHistory({ run, timeAtSinceMs }: ReadResult, atMs: number): void {
  if ((timeAtSinceMs ?? 0) !== atMs) throw historyChanged(run.lastSequence);
}
