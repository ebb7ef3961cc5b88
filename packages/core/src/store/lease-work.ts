import type { LeaseOutcome } from "../rules/claims.ts";
import type { HeadRow, LeasePlan, LeaseRule } from "../rules/plan-lease.ts";
import { after, type Answer } from "./answers.ts";
import type { RowMoves, RowWork } from "./row-moves.ts";

/** A claim, a renewal or a release: locks the head, asks the rule, saves the head. `write`. @see clause S21 in `STORE.md` */
export function leaseWork(runId: string, rule: LeaseRule): RowWork<LeaseOutcome> {
  return (rows) =>
    after(rows.selectHeads([runId]), ([before = null]) => leaseRow(rows, before, rule));
}

/** Asks the rule about a locked head, and saves the head. */
export function leaseRow(
  rows: RowMoves,
  head: HeadRow | null,
  rule: LeaseRule,
): Answer<LeaseOutcome> {
  return after(rows.now(), (nowMs) => saveLease(rows, head, rule(head, nowMs)));
}

/** Saves the head, if the plan changes it. */
export function saveLease(
  rows: RowMoves,
  before: HeadRow | null,
  { outcome, after: saved }: LeasePlan,
): Answer<LeaseOutcome> {
  if (before === null || saved === null) return outcome;
  return after(rows.saveHeads([{ before, after: saved }]), () => outcome);
}
