import type { Claim, FencedTimes } from "./fenced-times.ts";
import type { AppendOperation, Violation } from "./operation.ts";
import { firstSequenceOf, type PlacedLog, violation } from "./placed-batches.ts";

/**
 * Whether the upkeep may have ended the run there.
 * @param held the claim that certainly had the run there
 * @see clauses S22 and S28 in `STORE.md`
 */
export function wrongEnd(
  log: PlacedLog,
  times: FencedTimes,
  end: AppendOperation,
  held: Claim | undefined,
): Violation | null {
  const { ends, ids } = end;
  const by = held === undefined ? [end] : [held.call, end];
  if (ends === "reaper") {
    if (held?.isKept)
      return violation(
        "S22",
        `a reaper ended a run on which fence ${held.fence} had a long lease`,
        by,
      );
    return times.mayBeHeld(end)
      ? null
      : violation("S22", "a reaper ended a run that no worker had", by);
  }
  if (held !== undefined) {
    return violation("S28", `a sweeper ended a run that fence ${held.fence} had`, by);
  }
  const batch = log.batches.get(ids[0]);
  const first = batch === undefined ? 1 : firstSequenceOf(batch);
  const status = log.events[first - 2]?.runStatus ?? "queued";
  return status === ends
    ? null
    : violation("S28", `a sweeper of ${ends} runs ended one that was ${status}`, by);
}
