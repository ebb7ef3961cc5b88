import type { RunStatus } from "./event.ts";

/** The status of a run that has not finished. */
export type LiveStatus = Extract<RunStatus, "queued" | "running" | "waiting">;

/** For how long no worker may have worked on a run in this status. @see clause S28 in `STORE.md` */
export interface IdleLimit {
  readonly runStatus: LiveStatus;
  /** Milliseconds, 0 or more. */
  readonly idleForMs: number;
}

/** The fields of a run's head that decide since when it is idle. */
export interface IdleRun {
  readonly runStatus: RunStatus;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  readonly idleFromMs: number;
  readonly leaseExpiresAtMs: number | null;
}

/**
 * Since when no worker has worked on a live run that has no lease: a queued run since its creation, any other since its last event or the
 * last release of a lease. It is never before `idleFromMs`.
 * @see clause S28 in `STORE.md`
 */
export function idleSince({
  runStatus,
  createdAtMs,
  updatedAtMs,
  idleFromMs,
}: Omit<IdleRun, "leaseExpiresAtMs">): number {
  return runStatus === "queued" ? createdAtMs : Math.max(idleFromMs, updatedAtMs);
}

/**
 * Whether a run has been idle for too long: the rule of `listIdle` and of a sweeper, for all adapters. A run with a lease is not idle, even
 * if the lease has expired.
 * @param nowMs the store's clock
 * @see clause S28 in `STORE.md`
 */
export function isIdle(run: IdleRun, { runStatus, idleForMs }: IdleLimit, nowMs: number): boolean {
  return (
    run.runStatus === runStatus &&
    run.leaseExpiresAtMs === null &&
    idleSince(run) <= nowMs - idleForMs
  );
}

/**
 * The `idleFromMs` of a run after a release. A queued run counts from its creation, and the same release may be sent again.
 * @param nowMs the store's clock
 * @see clause S28 in `STORE.md`
 */
export function idleFromAfterRelease(
  { runStatus, leaseExpiresAtMs, idleFromMs }: IdleRun,
  nowMs: number,
): number {
  if (runStatus === "queued" || leaseExpiresAtMs === null) return idleFromMs;
  return Math.max(idleFromMs, nowMs);
}
