import type { Appender } from "./append.ts";
import { checkBound } from "./check-bound.ts";
import type { StatusChange } from "./event.ts";
import { isTerminal } from "./lifecycle.ts";
import type { RunRecord } from "./run.ts";

/** The lease of a run: which worker may write, and until when. @see clauses W31 and W32 in `WIRE.md` of `@tm/run-events-http` */
export type Lease = Pick<RunRecord, "fence" | "leaseExpiresAtMs" | "worker">;

/** The lease of a run that has never been claimed. @see clause W31 in `WIRE.md` of `@tm/run-events-http` */
export const NO_LEASE: Lease = { fence: 0, leaseExpiresAtMs: null, worker: null };

/**
 * Whether an append is refused because another worker has the run. An expired lease counts until the run is claimed again or ended, so its
 * worker may continue.
 */
export function isFenced({ fence, leaseExpiresAtMs }: Lease, appender: Appender): boolean {
  switch (appender.by) {
    case "owner":
    case "input":
      return false;
    case "anybody":
      return leaseExpiresAtMs !== null;
    case "worker":
      return leaseExpiresAtMs === null || appender.fence !== fence;
  }
}

/**
 * The lease after an append that was not refused. An owner takes the next fence, which shuts the worker out, and the end of the run ends the
 * lease. An input leaves it as it is.
 */
export function leaseAfter(
  { fence, leaseExpiresAtMs, worker }: Lease,
  { appender, change }: { readonly appender: Appender; readonly change: StatusChange },
): Lease {
  const takesFence = appender.by === "owner";
  const isOver = takesFence || isTerminal(change);
  return {
    fence: takesFence ? fence + 1 : fence,
    leaseExpiresAtMs: isOver ? null : leaseExpiresAtMs,
    worker: isOver ? null : worker,
  };
}

/**
 * The appender with this fence, or without one.
 * @throws RunEventsError `invalid_request` unless the fence is a positive safe integer
 */
export function appenderOf(fence: number | undefined): Appender {
  if (fence === undefined) return { by: "anybody" };
  checkFence(fence);
  return { by: "worker", fence };
}

/** @throws RunEventsError `invalid_request` unless it is a positive safe integer. @see clause W32 in `WIRE.md` */
export function checkFence(fence: number): void {
  checkBound("fence", fence, 1, { cure: " Pass the fence that the claim returned." });
}
