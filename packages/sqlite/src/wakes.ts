import { createWatchers, type RunRecord } from "@tm/run-events-core/store";
import { isInTransaction, type SqliteDatabase } from "./driver.ts";
import type { Statements } from "./statements.ts";

/** What tells one state of a run's log from the next: every commit on a run moves its sequence. */
type RunHead = Pick<RunRecord, "runId" | "ordinal" | "lastSequence">;

/** The bells of one store. */
export interface Wakes {
  /** Adds a bell; the returned function takes it off and may be called twice. */
  add(runId: string, wake: () => void): () => void;
  /** Looks from now on, if there are bells: every later commit of others rings. Throws what the driver throws. */
  start(sql: Statements): void;
  /** Rings for a commit of this store that moved the run. */
  moved(head: RunHead): void;
  /** Rings for a commit of this store that made or removed the run. */
  changed(runId: string): void;
  /** Rings once the caller's transaction, in which the run was appended to, has ended. */
  joined(runId: string): void;
  /** Takes all bells off and stops looking. */
  close(): void;
}

/** Of the event loop's time, looking takes one part in this many at most, however many runs are watched. */
const SHARE = 5;

/**
 * Keeps the bells. Commits of other connections are found by one timer for the whole store, which runs while there are
 * bells and does not keep the process alive. What a run's bell has rung for is remembered as its head: a head that is not
 * known rings once for nothing.
 * @param pollMs how often to look while somebody watches
 * @see S13, S14
 */
export function createWakes(db: SqliteDatabase, pollMs: number): Wakes {
  const watchers = createWatchers();
  const joinedRuns = new Set<string>();
  let rungFor = new Map<string, string>();
  let version = 0;
  let timer: NodeJS.Timeout | null = null;
  let joinedTimer: NodeJS.Timeout | null = null;

  function look(sql: Statements): void {
    const current = dataVersion(sql);
    if (current === version) return;
    const watched = [...watchers.runIds()];
    const marks = new Map<string, string>();
    for (const head of selectHeads(sql, watched)) marks.set(head.runId, markOf(head));
    for (const runId of watched) {
      const mark = marks.get(runId) ?? "";
      if (rungFor.get(runId) !== mark) watchers.ring(runId);
      marks.set(runId, mark);
    }
    rungFor = marks;
    version = current;
  }

  function tick(sql: Statements): void {
    const startedAt = performance.now();
    try {
      // Inside the caller's transaction nothing new is to be seen, and a look would pin its snapshot.
      if (!isInTransaction(db)) look(sql);
    } catch {
      // A bell is not the truth: what this look missed, the next one finds.
    }
    arm(sql, Math.max(pollMs, (SHARE - 1) * (performance.now() - startedAt)));
  }

  function arm(sql: Statements, delayMs: number): void {
    timer = setTimeout(tick, delayMs, sql);
    // Whoever waits for a wake holds the process itself: a socket does, and so does core's tail.
    timer.unref();
  }

  function ringJoined(): void {
    if (isInTransaction(db)) {
      joinedTimer = setTimeout(ringJoined, pollMs);
      joinedTimer.unref();
      return;
    }
    for (const runId of joinedRuns) watchers.ring(runId);
    joinedRuns.clear();
  }

  function halt(): void {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    rungFor = new Map();
  }

  return {
    add(runId, wake) {
      const remove = watchers.add(runId, wake);
      return () => {
        remove();
        if (isEmpty(watchers.runIds())) halt();
      };
    },
    start(sql) {
      if (timer !== null || isEmpty(watchers.runIds())) return;
      version = dataVersion(sql);
      arm(sql, pollMs);
    },
    moved(head) {
      // Others' commits below this head ring with it.
      if (rungFor.has(head.runId)) rungFor.set(head.runId, markOf(head));
      watchers.ring(head.runId);
    },
    changed: (runId) => watchers.ring(runId),
    joined(runId) {
      // Without a bell too: one may come before the commit.
      if (joinedRuns.size === 0) setImmediate(ringJoined);
      joinedRuns.add(runId);
    },
    close() {
      watchers.clear();
      halt();
      joinedRuns.clear();
      if (joinedTimer !== null) clearTimeout(joinedTimer);
    },
  };
}

function dataVersion(sql: Statements): number {
  const row = sql.dataVersion.get() as { readonly data_version: number };
  return row.data_version;
}

function selectHeads(sql: Statements, runIds: readonly string[]): readonly RunHead[] {
  return sql.selectHeads.all(JSON.stringify(runIds)) as RunHead[];
}

function markOf({ ordinal, lastSequence }: RunHead): string {
  return `${ordinal}:${lastSequence}`;
}

function isEmpty(items: IterableIterator<unknown>): boolean {
  return items.next().done === true;
}
