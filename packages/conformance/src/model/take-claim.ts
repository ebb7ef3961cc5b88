import type { CreateClaim, LeaseOutcome } from "@tm/run-events-core/store";
import { assert, assertEqual } from "../assert.ts";
import { granted, LONG_MS, SHORT_MS, untilExpired } from "../lease.ts";
import type { RealStore } from "./commands.ts";
import { underFence } from "./model-lease.ts";
import { checkRecord, type ModelRun } from "./run-model.ts";

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

/** Holds what became of a claim of a live run against the model, and takes it into the model. */
export async function takeClaim(
  real: RealStore,
  run: ModelRun,
  { claimKey, worker, length }: ClaimInput,
  outcome: LeaseOutcome,
): Promise<void> {
  const { expiresAtMs, hasExpired, fence } = run.lease;
  if (expiresAtMs !== null && !hasExpired) {
    if (claimKey !== null && claimKey === run.lease.claimKey) {
      return checkRecord(run, granted(outcome, "the claim that comes again under its key"));
    }
    const held = { outcome: "claimed", leaseExpiresAtMs: expiresAtMs };
    return assertEqual(outcome, held, "the outcome");
  }
  const held = granted(outcome, "the claim");
  assert(held.fence > fence, `the fence ${held.fence} is higher than ${fence}`);
  run.lease = { ...underFence(run.lease, held.fence), claimKey, worker };
  await takeLease(real, run, outcome, length);
}

/** Takes a granted lease into the model, and waits until it is over if it is a short one. */
export async function takeLease(
  real: RealStore,
  run: ModelRun,
  outcome: LeaseOutcome,
  length: Length,
): Promise<void> {
  const held = granted(outcome, "the lease");
  run.lease = { ...run.lease, expiresAtMs: held.leaseExpiresAtMs, hasExpired: length === "short" };
  checkRecord(run, held);
  if (length === "short") await untilExpired(real.next(), held);
}
