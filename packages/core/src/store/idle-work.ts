import { idleSince, isIdle } from "../rules/idle.ts";
import { after } from "./answers.ts";
import type { RowWork } from "./row-moves.ts";
import type { IdleQuery } from "./store.ts";

/** How many runs a call of `listIdle` looks at, at least and at most. */
const LEAST_CANDIDATES = 50;
const MOST_CANDIDATES = 1_000;

/** The runs that are idle, and those that had an event or a release since the index last had their time. */
export interface IdleRuns {
  readonly idle: readonly string[];
  readonly early: readonly string[];
}

/** The runs that have been idle for too long. `plain`. @see clause S28 in `STORE.md` */
export function idleWork(query: IdleQuery): RowWork<IdleRuns> {
  const { runStatus, idleForMs, limit } = query;
  const candidates = Math.min(Math.max(limit, LEAST_CANDIDATES), MOST_CANDIDATES);
  return (rows) =>
    after(rows.now(), (nowMs) =>
      after(rows.selectIdle(runStatus, nowMs - idleForMs, candidates), (runs) => ({
        idle: runs
          .filter((run) => isIdle(run, query, nowMs))
          .toSorted((a, b) => idleSince(a) - idleSince(b))
          .slice(0, limit)
          .map(({ runId }) => runId),
        early: runs.filter((run) => idleSince(run) > run.idleFromMs).map(({ runId }) => runId),
      })),
    );
}

/**
 * Gives the index the times of runs that it has too early, so that they hide no others. An append does not, since it would have to write
 * the index. `write`.
 * @see clause S28 in `STORE.md`
 */
export function putOffWork(runIds: readonly string[]): RowWork<void> {
  return (rows) =>
    after(rows.selectHeads(runIds.toSorted()), (heads) => {
      const moved = heads
        .filter((head) => head.finishedAtMs === null && idleSince(head) > head.idleFromMs)
        .map((before) => ({ before, after: { ...before, idleFromMs: idleSince(before) } }));
      return moved.length === 0 ? undefined : rows.saveHeads(moved);
    });
}
