import { describeValue } from "./describe-value.ts";
import { RunEventsError } from "./errors.ts";
import { isTerminal } from "./lifecycle.ts";
import type { RunRecord } from "./run.ts";

const CURSOR = /^(0|[1-9]\d*)$/;

/** Past the end of every log, and still a sequence that can be counted on from. */
const BEYOND = Number.MAX_SAFE_INTEGER - 1;

/**
 * Reads a cursor from text, `null` if it is not a plain non-negative integer. A cursor that is larger than any sequence is
 * past the end of every log.
 * @see clauses W15 and W20 in `WIRE.md` of `@tm/run-events-http`
 */
export function parseCursor(text: string): number | null {
  return CURSOR.test(text) ? Math.min(Number(text), BEYOND) : null;
}

/**
 * The error of a value that is not a cursor.
 * @param given the value that came, or all of them if several came
 * @see clause W15 in `WIRE.md` of `@tm/run-events-http`
 */
export function invalidCursor(given: unknown): RunEventsError {
  return new RunEventsError(
    "invalid_cursor",
    `Expected \`since\` to be a plain non-negative integer, got ${describeValue(given)}. Pass the sequence of the last event that you have, or 0.`,
  );
}

/**
 * The error of a cursor past the end of the log, or of a log that has lost events that a reader had.
 * @param since the cursor, if the caller gave it
 */
function cursorAhead(lastSequence: number, since?: number): RunEventsError {
  return new RunEventsError(
    "cursor_ahead",
    `Expected \`since\` to be ${lastSequence} at most, the last sequence of the run, got ${since ?? "a higher one"}. The log may have lost its end. Read it again from 0.`,
    { details: { lastSequence } },
  );
}

/**
 * Passes on a cursor that a program gave.
 * @throws RunEventsError `invalid_cursor` unless it is a non-negative safe integer.
 */
export function checkCursor(since: number): number {
  if (!Number.isSafeInteger(since) || since < 0) throw invalidCursor(since);
  return since;
}

/**
 * The cursor in force: never past the end of the log. On a finished run `lastSequence + 1`, the id of the frame
 * `run_finished`, also means the end.
 * @throws RunEventsError `cursor_ahead` for a later one
 * @see clauses W15 and W24 in `WIRE.md` of `@tm/run-events-http`
 */
export function clampCursor(since: number, run: RunRecord): number {
  const { lastSequence } = run;
  if (since <= lastSequence) return since;
  if (since === lastSequence + 1 && isTerminal(run.runStatus)) return lastSequence;
  throw cursorAhead(lastSequence, since);
}
