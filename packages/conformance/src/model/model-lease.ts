import type { RunRecord } from "@tm/run-events-core/store";
import type { Appender } from "../core-calls.ts";
import { assert } from "../assert.ts";

/** The right to write to a run, as far as the calls so far show it. */
export interface ModelLease {
  /** The highest fence that the store has returned. */
  readonly fence: number;
  /** A fence that is over: this run's last one but one, else the last one of a deleted run with its id, else -1. */
  readonly former: number;
  /** Whether the store has taken a higher one since, which it has not returned yet. */
  readonly isSurpassed: boolean;
  /** As the store returned it, `unknown` until it has; `null` while the run is unclaimed. */
  readonly expiresAtMs: number | "unknown" | null;
  /** The key of the claim that got the lease; `null` if it had none. It has no meaning while the run has no lease. */
  readonly claimKey: string | null;
  /** The name that the claim gave. It has no meaning while the run has no lease. */
  readonly worker: string | null;
  /** Whether the store has shown that this time is over; `maybe` if it may be over without that. */
  readonly hasExpired: boolean | "maybe";
}

/** The lease of a new run. */
export const NEW_LEASE: ModelLease = {
  fence: 0,
  former: -1,
  isSurpassed: false,
  expiresAtMs: null,
  claimKey: null,
  worker: null,
  hasExpired: false,
};

/** Whether the lease lets an append through. */
export function letsThrough(
  { expiresAtMs, isSurpassed, fence }: ModelLease,
  appender: Appender,
): boolean {
  switch (appender.by) {
    case "owner":
    case "input":
      return true;
    case "anybody":
      return expiresAtMs === null;
    case "worker":
      return expiresAtMs !== null && !isSurpassed && appender.fence === fence;
  }
}

/** The lease after an append that it let through. */
export function leaseAfter(lease: ModelLease, appender: Appender, isEnd: boolean): ModelLease {
  if (appender.by === "owner") return taken(lease);
  return isEnd ? { ...lease, expiresAtMs: null, hasExpired: false } : lease;
}

/** The lease after an owner or a reaper has taken the next fence. */
function taken(lease: ModelLease): ModelLease {
  return { ...lease, isSurpassed: true, expiresAtMs: null, hasExpired: false };
}

/** The lease under a fence that the store has returned. */
export function underFence(lease: ModelLease, fence: number): ModelLease {
  const former = lease.fence === 0 ? lease.former : lease.fence;
  return { ...lease, fence, former, isSurpassed: false };
}

/**
 * The lease of a run that the store has shown.
 * @throws Error unless its fence is one that it can have
 */
export function learnLease(
  lease: ModelLease,
  { runId, fence, leaseExpiresAtMs }: RunRecord,
): ModelLease {
  const { fence: known, isSurpassed, expiresAtMs } = lease;
  if (isSurpassed) {
    assert(fence > known, `the fence of ${runId} is higher than ${known}, got ${fence}`);
  }
  const learnt = isSurpassed ? underFence(lease, fence) : lease;
  if (expiresAtMs !== "unknown") return learnt;
  assert(leaseExpiresAtMs !== null, `${runId} has a lease`);
  return { ...learnt, expiresAtMs: leaseExpiresAtMs };
}
