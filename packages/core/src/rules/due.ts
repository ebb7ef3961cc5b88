import { isTerminal } from "./lifecycle.ts";
import type { Run } from "./head.ts";

/** The things that a run may wait for: the end of its lease; a worker, in one of three statuses; its removal. */
export type DueKind = "leased" | "queued" | "running" | "waiting" | "finished";

/** The fields of a run that the rules of due times read. */
type DueRun = Pick<Run, "runStatus" | "leaseExpiresAtMs" | "createdAtMs" | "updatedAtMs" | "dueMs">;

/** Finds the one thing that a run waits for. */
export function dueKindOf({
  runStatus,
  leaseExpiresAtMs,
}: Pick<DueRun, "runStatus" | "leaseExpiresAtMs">): DueKind {
  if (isTerminal(runStatus)) return "finished";
  return leaseExpiresAtMs === null ? runStatus : "leased";
}

/**
 * Since when a run waits for that: the end of its lease; its creation while it is queued; its last event or its last release; its end. The
 * index may have an earlier time, since neither an append nor a renewal moves it, and {@link dueMsAfter} decides when it is moved.
 */
export function dueAt(run: DueRun): number {
  switch (dueKindOf(run)) {
    case "leased":
      return run.leaseExpiresAtMs ?? 0;
    case "queued":
      return run.createdAtMs;
    case "running":
    case "waiting":
      return Math.max(run.dueMs, run.updatedAtMs);
    case "finished":
      return run.updatedAtMs;
  }
}

/**
 * The time of the index after a change. It stays while the run waits for the same thing, so that the index is written as seldom as
 * possible, unless a lease now ends before it.
 * @param nowMs the store's clock
 */
export function dueMsAfter(before: DueRun | null, after: DueRun, nowMs: number): number {
  const kind = dueKindOf(after);
  if (before !== null && dueKindOf(before) === kind) {
    return kind === "leased" ? Math.min(after.dueMs, dueAt(after)) : after.dueMs;
  }
  if (kind === "running" || kind === "waiting") return Math.max(nowMs, after.updatedAtMs);
  return dueAt(after);
}
