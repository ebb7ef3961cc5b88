import { isTerminal, type RunStatus } from "@tm/run-events-core";
import { idleSince, type IdleQuery, type LiveStatus } from "@tm/run-events-core/store";
import type { Connection } from "./connection.ts";
import { addDue, dropDue, type DueEntry } from "./due.ts";
import { type DueTime, findDue } from "./find-due.ts";
import type { ListEntry } from "./list-entries.ts";
import type { DueRun } from "./scripts/due-run.ts";

const DAY_MS = 24 * 60 * 60 * 1_000;
/** How often a call reads the start of an index again at most, to put it in order. */
const MOST_TURNS = 20;

/**
 * A run's visit to a status, as of `ListEntry`. A live status has an index of its visits, each by the earliest time from which on the run
 * may be idle. An entry is made before the visit begins, and removed after it has ended. Neither an append nor a claim changes it.
 */
type Visit = Pick<ListEntry, "runId" | "ordinal" | "runStatus" | "visit">;

/** Adds the entry of a visit to a live status. An existing one keeps the earlier time. */
export async function addIdleEntry(
  connection: Connection,
  visit: Visit,
  atMs: number,
): Promise<void> {
  const { runStatus } = visit;
  if (!isLive(runStatus)) return;
  await addDue(connection, connection.keys.idle(runStatus), entryOf(visit), String(atMs));
}

/** Removes the entry of a visit without a wait. If that fails, a later call of `listIdle` removes it. */
export function dropIdleEntry(connection: Connection, visit: Visit): void {
  const { runStatus } = visit;
  if (isLive(runStatus)) dropDue(connection, connection.keys.idle(runStatus), entryOf(visit));
}

/**
 * The runs of a status that no worker has worked on for some time.
 * @see clause S28 in `STORE.md`
 */
export async function listIdle(
  connection: Connection,
  { runStatus, idleForMs, limit }: IdleQuery,
): Promise<readonly string[]> {
  const idle = await findDue(connection, {
    index: connection.keys.idle(runStatus),
    ageMs: idleForMs,
    limit,
    mostTurns: MOST_TURNS,
    judge: (entry, run, nowMs, score) => {
      if (run?.ordinal !== ordinalOf(entry)) return absent(entry, nowMs, score);
      const time = judgeVisit(entry, run, runStatus, nowMs);
      // By the clock of the run's server: in a cluster the index is on another one.
      return time?.isTrue ? { ...time, isTrue: time.atMs <= run.nowMs - idleForMs } : time;
    },
  });
  return idle.map(({ runId }) => runId);
}

/** The entry of a run that may still be created, in less than a day. */
function absent(entry: DueEntry, nowMs: number, score: number): DueTime | null {
  if (nowMs - ordinalOf(entry) / 1_000 > DAY_MS) return null;
  return { atMs: score, isTrue: false };
}

function judgeVisit(
  { mark }: DueEntry,
  run: DueRun,
  runStatus: LiveStatus,
  nowMs: number,
): DueTime | null {
  const visit = Number(mark.split("/")[1]);
  if (run.finishedAtMs !== null || run.visits > visit) return null;
  if (run.runStatus !== runStatus) {
    // A run comes back to no queue. A writer may be about to begin another visit: from now on.
    return runStatus === "queued" ? null : { atMs: nowMs, isTrue: false };
  }
  if (run.leaseExpiresAtMs === null) return { atMs: idleSince(run), isTrue: true };
  // While it has a lease it is not idle. Afterwards a queued run still counts from its creation, any other from then.
  return { atMs: runStatus === "queued" ? run.createdAtMs : nowMs, isTrue: false };
}

function entryOf({ runId, ordinal, visit }: Omit<Visit, "runStatus">): DueEntry {
  return { runId, mark: `${ordinal}/${visit}` };
}

function ordinalOf({ mark }: DueEntry): number {
  return Number(mark.split("/")[0]);
}

function isLive(runStatus: RunStatus): runStatus is LiveStatus {
  return !isTerminal(runStatus);
}
