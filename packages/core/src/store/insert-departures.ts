import type { Departure } from "../rules/changed.ts";
import type { RunRecord } from "../rules/run.ts";
import { after, type Answer, whileTrue } from "./answers.ts";
import type { RowMoves } from "./row-moves.ts";

/** The most departures of one move. */
const DEPARTURES_AT_ONCE = 100;

/** Keeps departures, after everything else: their lock is the last that a transaction takes. @see clause S29 in `STORE.md` */
export function insertDepartures(
  rows: RowMoves,
  departed: readonly RunRecord[],
  nowMs: number,
): Answer<void> {
  const departures = departed.map(({ runId, ownerId, topic }): Departure => ({
    runId,
    ownerId,
    topic,
  }));
  let at = 0;
  return whileTrue(() => {
    const piece = departures.slice(at, at + DEPARTURES_AT_ONCE);
    if (piece.length === 0) return false;
    at += piece.length;
    return after(rows.insertDepartures(piece, nowMs), () => true);
  });
}
