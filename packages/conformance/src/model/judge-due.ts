import { isTerminal } from "@tm/run-events-core";
import type { RunName } from "@tm/run-events-core/store";
import type { DueKind, DueLimit, DueOutcome, Run } from "../core-calls.ts";
import { appendRequest, event } from "../append-request.ts";
import { assertEqual } from "../assert.ts";
import { appendToModel, type ModelRun, runOf, type StoreModel } from "./run-model.ts";

const REASONS = {
  leased: "lease_expired",
  queued: "never_started",
  running: "abandoned",
  waiting: "abandoned",
} as const;

/** Compares what became of a run that may be due with the model, which then has it. @param outcome `null` if it is not known */
export function judgeEndDue(
  model: StoreModel,
  { kind, limitMs, ...name }: RunName & DueLimit,
  outcome: DueOutcome | null,
): void {
  const expect = (expected: DueOutcome): void => {
    if (outcome !== null) assertEqual(outcome, expected, "the outcome");
  };
  const run = runOf(model, name);
  const isOfKind = run !== undefined && kind === kindOf(run);
  const { hasExpired } = run?.lease ?? { hasExpired: false };
  const isOver = hasExpired === "maybe" ? outcome !== "left" : hasExpired;
  if (!isOfKind || limitMs !== 0 || (kind === "leased" && !isOver)) return expect("left");
  if (kind === "leased" && run.record.runStatus === "waiting") {
    run.lease = { ...run.lease, expiresAtMs: null, hasExpired: false };
    return expect("released");
  }
  expect("ended");
  const end = event("RUN_FAILED", JSON.stringify({ reason: REASONS[kind] }));
  const { ownerId, runId } = name;
  appendToModel(model, appendRequest(runId, [end], { ownerId, appender: { by: "owner" } }));
}

/** Compares a run that was listed as one that waits for something with the model. */
export function judgeWaits(model: StoreModel, listed: Run, due: DueKind): void {
  const run = runOf(model, listed);
  if (run === undefined) return assertEqual(due, "gone", `what ${listed.runId} waits for`);
  const { runStatus, lastSequence } = run.record;
  // A fence that the store has not returned yet may be any.
  const fence = run.lease.isSurpassed ? listed.fence : run.lease.fence;
  const expected = [kindOf(run), runStatus, lastSequence, fence];
  const actual = [due, listed.runStatus, listed.lastSequence, listed.fence];
  assertEqual(actual, expected, `${listed.runId} in the list of what waits for something`);
}

function kindOf({ record, lease }: ModelRun): DueKind {
  const { runStatus } = record;
  if (isTerminal(runStatus)) return "finished";
  return lease.expiresAtMs === null ? runStatus : "leased";
}
