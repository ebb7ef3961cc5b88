import { isTerminal } from "@tm/run-events-core";
import type { RunName } from "@tm/run-events-core/store";
import type { CreateClaim, LeaseOutcome, LeaseRefusal, RenewOutcome } from "../core-calls.ts";
import { assert, assertEqual } from "../assert.ts";
import { freed, granted, type HeldRun, LONG_MS, SHORT_MS } from "../lease.ts";
import { underFence } from "./model-lease.ts";
import { checkRecord, type ModelRun, runOf, type StoreModel } from "./run-model.ts";

/** How long a lease is asked for: longer than the program takes, or so short that it is over before the next call. */
export type Length = "long" | "short";

/** A claim, alone or of a creation. */
export interface ClaimInput {
  readonly length: Length;
  readonly claimKey: string | null;
  readonly worker: string | null;
}

/** What the store is asked for. */
export function claimRequest({ length, claimKey, worker }: ClaimInput): CreateClaim {
  const leaseMs = length === "long" ? LONG_MS : SHORT_MS;
  return { leaseMs, worker, ...(claimKey !== null && { claimKey }) };
}

/**
 * Compares the outcome of a claim with the model, which then has the claim.
 * @returns the run if its lease is new and short: it counts as expired, so wait until it has
 */
export function judgeClaim(
  model: StoreModel,
  asked: RunName,
  input: ClaimInput,
  outcome: LeaseOutcome,
): HeldRun | null {
  const run = judgeAccess(model, asked, outcome);
  return run === null ? null : takeClaim(run, input, outcome);
}

/** Compares the outcome of a renewal. @returns as `judgeClaim` */
export function judgeRenewal(
  model: StoreModel,
  asked: RunName & { readonly fence: number },
  length: Length,
  outcome: RenewOutcome,
): Pick<HeldRun, "runId" | "leaseExpiresAtMs"> | null {
  const run = judgeAccess(model, asked, outcome);
  if (run === null) return null;
  if (run.lease.expiresAtMs === null || asked.fence !== run.lease.fence) {
    assertEqual(outcome, { outcome: "fenced" }, "the outcome");
    return null;
  }
  assertEqual(outcome.outcome, "granted", "the outcome");
  const { leaseExpiresAtMs = null } = outcome as Partial<HeldRun>;
  assert(leaseExpiresAtMs !== null, "a renewed lease has an end");
  run.lease = { ...run.lease, expiresAtMs: leaseExpiresAtMs, hasExpired: length === "short" };
  return length === "short" ? { ...asked, leaseExpiresAtMs } : null;
}

/** Compares the outcome of a release. */
export function judgeRelease(
  model: StoreModel,
  asked: RunName & { readonly fence: number },
  outcome: LeaseOutcome,
): void {
  const run = judgeAccess(model, asked, outcome);
  if (run === null) return;
  const { isSurpassed, fence } = run.lease;
  // A fence that the store has not returned yet may be this very one.
  if (isSurpassed && outcome.outcome === "granted") return;
  if (isSurpassed || asked.fence !== fence) {
    return assertEqual(outcome, { outcome: "fenced" }, "the outcome");
  }
  run.lease = { ...run.lease, expiresAtMs: null, hasExpired: false };
  checkRecord(run, freed(outcome, "the release"));
}

/**
 * Compares the outcome of a claim of a live run, which the model then has.
 * @returns as `judgeClaim`
 */
export function takeClaim(
  run: ModelRun,
  { claimKey, worker, length }: ClaimInput,
  outcome: LeaseOutcome,
): HeldRun | null {
  const { expiresAtMs, hasExpired, fence } = run.lease;
  if (expiresAtMs !== null && !hasExpired) {
    if (claimKey !== null && claimKey === run.lease.claimKey) {
      checkRecord(run, granted(outcome, "the claim that comes again under its key"));
    } else {
      const held = { outcome: "claimed", leaseExpiresAtMs: expiresAtMs };
      assertEqual(outcome, held, "the outcome");
    }
    return null;
  }
  const held = granted(outcome, "the claim");
  assert(held.fence > fence, `the fence ${held.fence} is higher than ${fence}`);
  run.lease = { ...underFence(run.lease, held.fence), claimKey, worker };
  return takeLease(run, outcome, length);
}

function takeLease(run: ModelRun, outcome: LeaseOutcome, length: Length): HeldRun | null {
  const held = granted(outcome, "the lease");
  run.lease = { ...run.lease, expiresAtMs: held.leaseExpiresAtMs, hasExpired: length === "short" };
  checkRecord(run, held);
  return length === "short" ? held : null;
}

/** The run that a call about its lease may change; `null` if the call had to be refused, as the outcome then shows. */
function judgeAccess(
  model: StoreModel,
  asked: RunName,
  outcome: LeaseOutcome | RenewOutcome,
): ModelRun | null {
  const run = runOf(model, asked);
  const refusal = refusalOf(run);
  if (run !== undefined && refusal === null) return run;
  assertEqual(outcome, refusal, "the outcome");
  return null;
}

function refusalOf(run: ModelRun | undefined): LeaseRefusal | null {
  if (run === undefined) return { outcome: "not_found" };
  const { runStatus, lastSequence } = run.record;
  return isTerminal(runStatus) ? { outcome: "finished", runStatus, lastSequence } : null;
}
