import {
  claimRun,
  type ClaimRequest,
  encodeKeptClaim,
  keptKeyOf,
  type LeaseOutcome,
  type ReleaseRequest,
  releaseRun,
  renewLease,
  type RenewRequest,
} from "./claims.ts";
import type { RunRecord } from "./run.ts";

/** A run's head, with what the store keeps of the claim that was granted its lease. */
export interface HeadRow extends RunRecord {
  /** As from `encodeKeptClaim`; `null` if that claim had no key. Never leaves the store. */
  readonly keptClaim: string | null;
}

/** What a claim, a renewal or a release answers and writes. */
export interface LeasePlan {
  readonly outcome: LeaseOutcome;
  /** The head to save: `fence`, `leaseExpiresAtMs`, `worker`, `idleFromMs` and `keptClaim` may differ. `null` after a refusal. */
  readonly after: HeadRow | null;
}

/**
 * The rule of one request about a lease. It takes the run's locked head, `null` if there is no run, and the store's clock, read after
 * the lock.
 * @see clause S21 in `STORE.md`
 */
export type LeaseRule = (head: HeadRow | null, nowMs: number) => LeasePlan;

/** The rule of a claim. @see clause S21 in `STORE.md` */
export function claimRule(request: ClaimRequest): LeaseRule {
  return (head, nowMs) => {
    const keptKey = head === null ? null : keptKeyOf(head, head.keptClaim);
    const outcome = claimRun(runOf(head), request, nowMs, keptKey);
    const { claimKey } = request;
    return planOf(outcome, ({ fence }) =>
      claimKey === undefined ? null : encodeKeptClaim(fence, claimKey),
    );
  };
}

/** The rule of a renewal. @see clause S21 in `STORE.md` */
export function renewRule(request: RenewRequest): LeaseRule {
  return (head, nowMs) =>
    planOf(renewLease(runOf(head), request, nowMs), () => head?.keptClaim ?? null);
}

/** The rule of a release. @see clause S21 in `STORE.md` */
export function releaseRule(request: ReleaseRequest): LeaseRule {
  return (head, nowMs) =>
    planOf(releaseRun(runOf(head), request, nowMs), () => head?.keptClaim ?? null);
}

function planOf(outcome: LeaseOutcome, keptClaim: (run: RunRecord) => string | null): LeasePlan {
  if (outcome.outcome !== "granted") return { outcome, after: null };
  return { outcome, after: { ...outcome.run, keptClaim: keptClaim(outcome.run) } };
}

/** The record of a head for a caller: a new object, without the other fields of the row. @see clause S11 in `STORE.md` */
export function recordOf(head: RunRecord): RunRecord {
  return {
    runId: head.runId,
    ownerId: head.ownerId,
    runStatus: head.runStatus,
    phase: head.phase,
    lastSequence: head.lastSequence,
    ordinal: head.ordinal,
    createdAtMs: head.createdAtMs,
    updatedAtMs: head.updatedAtMs,
    finishedAtMs: head.finishedAtMs,
    metadata: head.metadata,
    topic: head.topic,
    idleFromMs: head.idleFromMs,
    fence: head.fence,
    leaseExpiresAtMs: head.leaseExpiresAtMs,
    worker: head.worker,
  };
}

function runOf(head: HeadRow | null): RunRecord | null {
  return head === null ? null : recordOf(head);
}
