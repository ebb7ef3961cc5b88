import { isTerminal } from "@tm/run-events-core";
import type { RunName } from "@tm/run-events-core/store";
import type { CreateClaim, LeaseOutcome, LeaseRefusal, RenewOutcome } from "../core-calls.ts";
import { assert, assertEqual } from "../assert.ts";
import { freed, granted, LONG_MS, renewed, SHORT_MS } from "../lease.ts";
import { type ModelLease, underFence } from "./model-lease.ts";
import { checkRecord, type ModelRun, runOf, type StoreModel } from "./run-model.ts";

/** The time that a lease is asked for: longer than the program takes, so short that it is over before the next call, or as short without a wait. */
export type Length = "long" | "short" | "brief";

/** A claim as the store gets it, and its length. */
export interface ClaimInput extends CreateClaim {
  readonly length: Length;
}

/** A claim, alone or of a creation. @param claimKey as it is sent */
export function claimOf(
  { length, worker = null }: { readonly length: Length; readonly worker?: string | null },
  claimKey: string | null,
): ClaimInput {
  return { leaseMs: leaseMsOf(length), length, worker, ...(claimKey !== null && { claimKey }) };
}

export function leaseMsOf(length: Length): number {
  return length === "long" ? LONG_MS : SHORT_MS;
}

/**
 * Compares the outcome of a claim with the model, which then has the claim. A new, short lease counts as expired, so wait until it has.
 * @param outcome `null` if it is not known
 */
export function judgeClaim(
  model: StoreModel,
  asked: RunName & ClaimInput,
  outcome: LeaseOutcome | null,
): void {
  const run = judgeAccess(model, asked, outcome);
  if (run !== null) takeClaim(run, asked, outcome);
}

/** Compares the outcome of a renewal, which is `null` if it is not known. A short one counts as `judgeClaim` says. */
export function judgeRenewal(
  model: StoreModel,
  asked: RunName & { readonly fence: number; readonly length: Length },
  outcome: RenewOutcome | null,
): void {
  const run = judgeAccess(model, asked, outcome);
  if (run === null) return;
  const { expiresAtMs, isSurpassed, fence } = run.lease;
  if (expiresAtMs === null || isSurpassed || asked.fence !== fence) {
    if (outcome !== null) assertEqual(outcome, { outcome: "fenced" }, "the outcome");
    return;
  }
  const endsAtMs = outcome === null ? "unknown" : renewed(outcome, "the renewal");
  run.lease = { ...run.lease, hasExpired: expiryOf(asked.length), expiresAtMs: endsAtMs };
}

/** Compares the outcome of a release, which is `null` if it is not known. */
export function judgeRelease(
  model: StoreModel,
  asked: RunName & { readonly fence: number },
  outcome: LeaseOutcome | null,
): void {
  const run = judgeAccess(model, asked, outcome);
  if (run === null) return;
  const { isSurpassed, fence } = run.lease;
  // A fence that the store has not returned yet may be this very one.
  if (isSurpassed && outcome?.outcome === "granted") return;
  if (isSurpassed || asked.fence !== fence) {
    if (outcome !== null) assertEqual(outcome, { outcome: "fenced" }, "the outcome");
    return;
  }
  run.lease = { ...run.lease, expiresAtMs: null, hasExpired: false };
  if (outcome !== null) checkRecord(run, freed(outcome, "the release"));
}

/** Compares the outcome of a claim of a live run, which the model then has. */
export function takeClaim(run: ModelRun, input: ClaimInput, outcome: LeaseOutcome | null): void {
  const claimKey = input.claimKey ?? null;
  if (isHeld(run.lease, claimKey, outcome)) {
    if (outcome !== null) judgeHeld(run, claimKey, outcome);
    return;
  }
  const taken = { claimKey, worker: input.worker ?? null, hasExpired: expiryOf(input.length) };
  if (outcome === null) {
    run.lease = { ...run.lease, ...taken, isSurpassed: true, expiresAtMs: "unknown" };
    return;
  }
  const { fence } = run.lease;
  const held = granted(outcome, "the claim");
  assert(held.fence > fence, `the fence ${held.fence} is higher than ${fence}`);
  const expiresAtMs = held.leaseExpiresAtMs;
  run.lease = { ...underFence(run.lease, held.fence), ...taken, expiresAtMs };
  checkRecord(run, held);
}

/** Whether a worker has the run, as far as the outcome of a claim shows if the lease may have expired. */
function isHeld(
  { expiresAtMs, hasExpired, isSurpassed, fence, claimKey }: ModelLease,
  key: string | null,
  outcome: LeaseOutcome | null,
): boolean {
  if (expiresAtMs === null || hasExpired === true) return false;
  if (hasExpired === false) return true;
  if (outcome === null || outcome.outcome !== "granted") return outcome !== null;
  return isSurpassed ? key !== null && key === claimKey : outcome.run.fence === fence;
}

/** Compares what a claim of a run was answered that a worker has. */
function judgeHeld(run: ModelRun, claimKey: string | null, outcome: LeaseOutcome): void {
  if (claimKey !== null && claimKey === run.lease.claimKey) {
    return checkRecord(run, granted(outcome, "the claim that comes again under its key"));
  }
  const shown = outcome.outcome === "claimed" ? outcome.leaseExpiresAtMs : null;
  const { expiresAtMs } = run.lease;
  const leaseExpiresAtMs = expiresAtMs === "unknown" ? shown : expiresAtMs;
  assertEqual(outcome, { outcome: "claimed", leaseExpiresAtMs }, "the outcome");
  run.lease = { ...run.lease, expiresAtMs: leaseExpiresAtMs };
}

function expiryOf(length: Length): ModelLease["hasExpired"] {
  return length === "brief" ? "maybe" : length === "short";
}

/** The run that a call about its lease may change; `null` if the call had to be refused, as the outcome then shows. */
function judgeAccess(
  model: StoreModel,
  asked: RunName,
  outcome: LeaseOutcome | RenewOutcome | null,
): ModelRun | null {
  const run = runOf(model, asked);
  const refusal = refusalOf(run);
  if (run !== undefined && refusal === null) return run;
  if (outcome !== null) assertEqual(outcome, refusal, "the outcome");
  return null;
}

function refusalOf(run: ModelRun | undefined): LeaseRefusal | null {
  if (run === undefined) return { outcome: "not_found" };
  const { runStatus, lastSequence } = run.record;
  return isTerminal(runStatus) ? { outcome: "finished", runStatus, lastSequence } : null;
}
