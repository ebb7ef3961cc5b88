import { LONG_MS } from "../lease.ts";
import type { AppendOperation, LeaseOperation } from "./operation.ts";

/** A granted claim, and its part of the log. */
export interface Claim {
  readonly call: LeaseOperation;
  readonly fence: number;
  /** The log's end when it was granted. */
  readonly from: number;
  /** From where the log may have nothing of its fence: the next claim's `from`, or the end of the log at the release. */
  readonly until: number;
  /** Up to where the log may have nothing without a fence, as far as that is certain. */
  readonly to: number;
  /** The one with the next higher fence. */
  readonly next: {
    readonly call: LeaseOperation;
    readonly fence: number;
    readonly from: number;
  } | null;
  /** Whether the lease was a long one to the end: it was not shortened or released. */
  readonly isKept: boolean;
}

/** Who had a run when, as far as the answers show. */
export interface FencedTimes {
  /** The granted claims, by ascending fence. */
  readonly claims: readonly Claim[];
  /** Whether a worker may have had the run at some instant of the call. */
  mayBeHeld(call: LeaseOperation | AppendOperation): boolean;
  /** Whether a worker may have had the run under a newer fence, or it was released, at some instant of the call. */
  mayBeOver(fence: number, call: LeaseOperation | AppendOperation): boolean;
}

/** Derives from the calls about a run's lease who had it when. */
export function timesOf(leases: readonly LeaseOperation[]): FencedTimes {
  const asked = leases.filter(({ asks }) => asks === "claim");
  const granted = asked
    .flatMap((call) =>
      call.result.outcome === "granted"
        ? [{ call, fence: call.result.fence, from: call.result.lastSequence }]
        : [],
    )
    .toSorted((a, b) => a.fence - b.fence || a.call.begunAt - b.call.begunAt);
  const releases = leases.filter(({ asks, result }) => asks === "release" && isPossible(result));

  const claims = granted.map((claim, index): Claim => {
    const next = granted[index + 1] ?? null;
    const given = releases.filter(({ fence }) => fence === claim.fence);
    const ends = given.map(({ result }) =>
      result.outcome === "granted" ? result.lastSequence : Infinity,
    );
    const until = Math.min(next?.from ?? Infinity, ...ends);
    return {
      ...claim,
      next,
      until,
      // A release without an answer may have come at once; what else ended a lease is unknown.
      to: given.some(({ result }) => result.outcome !== "granted") ? claim.from : until,
      isKept:
        given.length === 0 &&
        claim.call.leaseMs === LONG_MS &&
        leases.every(
          ({ fence, asks, leaseMs }) =>
            fence !== claim.fence || asks !== "renew" || leaseMs === LONG_MS,
        ),
    };
  });

  return {
    claims,
    mayBeHeld: (call) =>
      asked.some((claim) => {
        if (claim === call || !isPossible(claim.result) || !hasBegun(claim, call)) return false;
        if (claim.result.outcome !== "granted") return true;
        const { fence } = claim.result;
        return !releases.some(
          (release) =>
            release.fence === fence &&
            release.result.outcome === "granted" &&
            release.endedAt !== null &&
            release.endedAt < call.begunAt,
        );
      }),
    mayBeOver: (fence, call) =>
      releases.some(
        (release) => release !== call && release.fence === fence && hasBegun(release, call),
      ) ||
      asked.some(
        (claim) =>
          isPossible(claim.result) &&
          hasBegun(claim, call) &&
          (claim.result.outcome !== "granted" || claim.result.fence > fence),
      ) ||
      // It was not given before, as far as the answers show.
      !granted.some(
        (claim) => claim.fence === fence && (claim.call.endedAt ?? Infinity) < call.begunAt,
      ),
  };
}

/** Whether it was granted, or may have been. */
function isPossible({ outcome }: LeaseOperation["result"]): boolean {
  return outcome === "granted" || outcome === "unknown";
}

function hasBegun(one: LeaseOperation, call: LeaseOperation | AppendOperation): boolean {
  return one.begunAt < (call.endedAt ?? Infinity);
}
