import type { FinishedOutcome } from "./append.ts";
import type { RunName, RunRecord } from "./run.ts";

/** A request to claim a run for one worker. @see clause W31 in `WIRE.md` of `@tm/run-events-http` */
export interface ClaimRequest extends RunName {
  /** The time that the lease lasts from now on, by the store's clock. At least 1. */
  readonly leaseMs: number;
  /**
   * Names this claim, so that it can be sent again when its answer was lost: until the lease that it got expires, the
   * same key gets that lease again. 1 to 128 printable ASCII characters. Without it, the claim has no name.
   */
  readonly claimKey?: string;
  /** As in `Lease`; missing for `null`. A claim that is granted the same lease again keeps the first name. */
  readonly worker?: string | null;
}

/** A request for more time on a lease. */
export interface RenewRequest extends Omit<ClaimRequest, "claimKey" | "worker"> {
  readonly fence: number;
}

/** A request to end a lease, for another worker. */
export type ReleaseRequest = Omit<RenewRequest, "leaseMs">;

/** The refusal of a claim while another worker's lease lasts. */
export interface ClaimedOutcome {
  readonly outcome: "claimed";
  readonly leaseExpiresAtMs: number;
}

/** Why a run was not claimed, renewed or released. */
export type LeaseRefusal =
  | { readonly outcome: "not_found" }
  | FinishedOutcome
  | ClaimedOutcome
  | { readonly outcome: "fenced" };

/**
 * The outcome of a claim, a renewal or a release: `granted` with the run as it then is, or a refusal. Refusals are judged in
 * the order of their list.
 * @see clause W31 in `WIRE.md` of `@tm/run-events-http`
 */
export type LeaseOutcome = { readonly outcome: "granted"; readonly run: RunRecord } | LeaseRefusal;

/** A run that a worker has: its record, with the time when its lease expires. */
export interface LeasedRun extends RunRecord {
  readonly leaseExpiresAtMs: number;
}

/** The number of fences that a millisecond has: one for each value of an ordinal's last three digits. */
const FENCES_PER_MS = 1_000;

/** The values that decide a run's next fence, together with the time. */
type FencedRun = Pick<RunRecord, "fence" | "ordinal">;

/**
 * The fence of a claim that is granted now. It is the store's clock in milliseconds, followed by the last three digits of the run's ordinal. If
 * the run has taken a fence of that millisecond or of a later one, the first free millisecond after it is used. A fence is therefore higher
 * than all before it on its run, and only one worker gets it:
 *
 * - Two runs of one id give out no fence in common if the last digits of their ordinals differ, even if the clock is set back. If those digits
 *   are the same, the clock has moved on between the two runs. Either way, a worker of a deleted run cannot write to the run that has its id
 *   now.
 * - A store that has lost a claim in a failover does not give its fence again, since the clock has moved on.
 *
 * A fence is a safe integer until the year 2255.
 * @param nowMs the store's clock
 * @see clause W31 in `WIRE.md` of `@tm/run-events-http`
 */
export function nextFence({ fence, ordinal }: FencedRun, nowMs: number): number {
  const free = fence - (fence % FENCES_PER_MS) + FENCES_PER_MS;
  return Math.max(nowMs * FENCES_PER_MS, free) + (ordinal % FENCES_PER_MS);
}
