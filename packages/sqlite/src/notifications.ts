import {
  createPoller,
  createPolledNotifications,
  type Notifications,
  type RunPosition,
} from "@tm/run-events-core/store";
import type { Connection } from "./connection.ts";
import { isInTransaction } from "./handle.ts";
import type { SqliteDatabase } from "./driver.ts";
import type { Positions } from "./sql/positions.ts";

/** The notifications of one store. */
export interface SqliteNotifications extends Notifications {
  /** Notifies once the caller's transaction that appended to the runs has ended. */
  joined(heads: readonly RunPosition[]): void;
}

/**
 * Finds the commits of other connections with one timer for the whole store. The timer runs while the store has subscriptions, and
 * does not keep the process alive. If nothing was committed, a poll costs one pragma.
 * @param pollMs how often to poll, in milliseconds
 * @see clauses S13 and S14 in `STORE.md`
 */
export function createNotifications(
  db: SqliteDatabase,
  connection: Connection,
  pollMs: number,
): SqliteNotifications {
  const joinedRuns = new Set<string>();
  let open: Positions | null = null;
  let version: number | null = null;

  function selectPositions(runIds: readonly string[]): readonly RunPosition[] | null {
    // Inside the caller's transaction a poll sees nothing new, and would pin the transaction's snapshot.
    if (open === null || isInTransaction(db)) return null;
    const current = open.dataVersion();
    if (current === version) return null;
    const positions = open.selectPositions(runIds);
    version = current;
    return positions;
  }

  const polled = createPolledNotifications({
    selectPositions: connection.inFile ? selectPositions : null,
    pollMs,
  });
  const joinedPoller = createPoller({
    poll() {
      if (isInTransaction(db)) return;
      polled.changed([...joinedRuns]);
      joinedRuns.clear();
    },
    isNeeded: () => joinedRuns.size > 0,
    pauseMs: () => pollMs,
  });

  return {
    ...polled,
    subscribe(runId, onNotification) {
      const { stop } = polled.subscribe(runId, onNotification);
      const ready = connection.perform((opened) => {
        open = opened;
        // Only once: a later subscription must not skip a commit that an earlier one waits for.
        if (connection.inFile) version ??= opened.dataVersion();
      });
      // A caller that does not wait for `ready` gets the failure from its next read.
      ready.catch(() => {});
      return { ready, stop };
    },
    joined(heads) {
      // Even of runs without subscriptions: one may be added before the commit.
      for (const { runId } of heads) joinedRuns.add(runId);
      joinedPoller.start(0);
    },
    close() {
      polled.close();
      joinedPoller.stop();
    },
  };
}
