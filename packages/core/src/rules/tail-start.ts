import { checkBound } from "./check-bound.ts";
import { RunEventsError } from "./errors.ts";

/** The most events before the end at which a reader may begin. @see clause W45 in `WIRE.md` of `@tm/run-events-http` */
export const MAX_TAIL = 1_000;

/**
 * Passes on how many events before the end a reader wants to begin.
 * @param since the `since` that it gave; there must be none
 * @throws RunEventsError `invalid_request`
 */
export function checkTail(tail: number, since: number | undefined): number {
  if (since !== undefined) {
    throw new RunEventsError(
      "invalid_request",
      "Expected `since` or `tail`, got both. Leave out `tail` if you have events already.",
    );
  }
  checkBound("tail", tail, 1, { most: MAX_TAIL });
  return tail;
}

/** The cursor from which a reader gets the last events of a log. @see clause W45 in `WIRE.md` of `@tm/run-events-http` */
export function tailStart(lastSequence: number, tail: number): number {
  return Math.max(0, lastSequence - tail);
}
