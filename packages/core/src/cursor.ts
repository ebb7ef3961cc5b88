import { RunEventsError } from "./errors.ts";
import { isTerminal } from "./lifecycle.ts";
import type { RunRecord } from "./store.ts";

const CURSOR = /^(0|[1-9]\d*)$/;

/** Past the end of every log, and still a sequence that can be counted on from. */
const BEYOND = Number.MAX_SAFE_INTEGER - 1;

/**
 * Reads a cursor from text, `null` if it is not a plain non-negative integer. One that is larger than any sequence is past
 * the end of every log, whatever its digits.
 * @see W15, W20
 */
export function parseCursor(text: string): number | null {
  return CURSOR.test(text) ? Math.min(Number(text), BEYOND) : null;
}

/**
 * The error of a cursor that is none.
 * @see W15
 */
export function invalidCursor(): RunEventsError {
  return new RunEventsError("invalid_cursor", "A cursor is a plain non-negative integer.");
}

/** The error of a cursor past the end of the log, or of a log that has lost its tail behind a reader. */
export function cursorAhead(lastSequence: number): RunEventsError {
  return new RunEventsError("cursor_ahead", "The cursor is past the end of the log.", {
    details: { lastSequence },
  });
}

/**
 * Passes on a cursor that a program gave.
 * @throws RunEventsError `invalid_cursor` unless it is a non-negative safe integer.
 */
export function checkCursor(since: number): number {
  if (!Number.isSafeInteger(since) || since < 0) throw invalidCursor();
  return since;
}

/**
 * The cursor in force: never past the end of the log. On a finished run `lastSequence + 1`, the id of the frame
 * `run_finished`, stands for the end.
 * @throws RunEventsError `cursor_ahead` for anything further.
 * @see W15, W24
 */
export function clampCursor(since: number, run: RunRecord): number {
  const { lastSequence } = run;
  if (since <= lastSequence) return since;
  if (since === lastSequence + 1 && isTerminal(run.runStatus)) return lastSequence;
  throw cursorAhead(lastSequence);
}
