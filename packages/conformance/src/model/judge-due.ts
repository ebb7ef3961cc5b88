import { isTerminal } from "@tm/run-events-core";
import type { RunName } from "@tm/run-events-core/store";
import type { DueLimit, DueOutcome } from "../core-calls.ts";
import { appendRequest, event } from "../append-request.ts";
import { assertEqual } from "../assert.ts";
import { appendToModel, runOf, type StoreModel } from "./run-model.ts";

const REASONS = {
  leased: "lease_expired",
  queued: "never_started",
  running: "abandoned",
  waiting: "abandoned",
} as const;

/** Compares what became of a run that may be due with the model, which then has it. */
export function judgeEndDue(
  model: StoreModel,
  name: RunName,
  { kind, limitMs }: DueLimit,
  outcome: DueOutcome,
): void {
  const run = runOf(model, name);
  const isOfKind =
    run !== undefined &&
    !isTerminal(run.record.runStatus) &&
    kind === (run.lease.expiresAtMs === null ? run.record.runStatus : "leased");
  const isDue = isOfKind && limitMs === 0 && (kind !== "leased" || run.lease.hasExpired);
  if (!isDue) return assertEqual(outcome, "left", "the outcome");
  if (kind === "leased" && run.record.runStatus === "waiting") {
    run.lease = { ...run.lease, expiresAtMs: null, hasExpired: false };
    return assertEqual(outcome, "released", "the outcome");
  }
  assertEqual(outcome, "ended", "the outcome");
  const end = event("RUN_FAILED", JSON.stringify({ reason: REASONS[kind] }));
  const { ownerId, runId } = name;
  appendToModel(model, appendRequest(runId, [end], { ownerId, appender: { by: "owner" } }));
}
