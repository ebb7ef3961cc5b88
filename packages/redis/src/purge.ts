import type { PurgeRequest } from "@tm/run-events-core/store";
import type { Connection } from "./connection.ts";
import type { DueEntry } from "./due.ts";
import { type DueTime, findDue } from "./find-due.ts";
import { forget, removeRuns } from "./runs.ts";
import type { DueRun } from "./scripts/due-run.ts";

/** The most runs that are removed in one turn, so that appends run between. */
const RUNS_AT_ONCE = 100;

/**
 * Removes whole runs that finished some time ago, those that finished first before others.
 * @see clause S24 in `STORE.md`
 */
export async function purgeRuns(
  connection: Connection,
  { finishedForMs, limit }: PurgeRequest,
): Promise<readonly string[]> {
  const purged: string[] = [];
  while (purged.length < limit) {
    const old = await findDue(connection, {
      index: connection.keys.ended,
      ageMs: finishedForMs,
      limit: Math.min(limit - purged.length, RUNS_AT_ONCE),
      judge: (entry, run, nowMs) => judgeEnd(entry, run, nowMs, finishedForMs),
    });
    if (old.length === 0) break;
    const found = old.flatMap(({ run }) => run ?? []);
    const removed = await removeRuns(connection, found);
    forget(connection, removed);
    purged.push(...removed.map(({ runId }) => runId));
  }
  return purged;
}

function judgeEnd(
  { mark }: DueEntry,
  run: DueRun | null,
  nowMs: number,
  finishedForMs: number,
): DueTime | null {
  if (run === null || run.ordinal !== Number(mark)) return null;
  const { finishedAtMs, updatedAtMs } = run;
  // A writer may be about to end the run: from now on.
  if (finishedAtMs === null) return { atMs: Math.max(nowMs, updatedAtMs), isTrue: false };
  // By the clock that wrote the end: in a cluster the index is on another server, whose clock may be ahead.
  return { atMs: finishedAtMs, isTrue: finishedAtMs <= run.nowMs - finishedForMs };
}
