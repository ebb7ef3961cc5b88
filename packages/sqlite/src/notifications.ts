import {
  createPoller,
  createPolledNotifications,
  nameKey,
  type Notifications,
  type RunName,
} from "@tm/run-events-core/store";
import type { Connection } from "./connection.ts";
import { isInTransaction } from "./handle.ts";
import type { SqliteDatabase } from "./driver.ts";
import type { Position, Positions } from "./sql/positions.ts";

type Committed = Parameters<Notifications["committed"]>[0];

/** The interval of polls for commits of other connections while the store has subscriptions, in milliseconds. */
export const POLL_MS = 10;

/** The notifications of one store. */
export interface SqliteNotifications extends Notifications {
  /** Notifies once the caller's transaction that appended to the runs has ended. */
  joined(runs: Committed): void;
}

/**
 * Finds the commits of other connections with one timer for the whole store. The timer runs while the store has subscriptions, and
 * does not keep the process alive. If nothing was committed, a poll costs one pragma.
 * @see clause S13 in `STORE.md`
 */
export function createNotifications(
  db: SqliteDatabase,
  connection: Connection,
): SqliteNotifications {
  const joinedRuns = new Map<string, Committed[number]>();
  let open: Positions | null = null;
  let version: number | null = null;
  let event = 0;

  function selectPositions(names: readonly RunName[]): readonly Position[] | null {
    // Inside the caller's transaction a poll sees nothing new, and would pin the transaction's snapshot.
    if (open === null || isInTransaction(db)) return null;
    const current = open.dataVersion();
    if (current === version) return null;
    const positions = open.selectPositions(names);
    version = current;
    return positions;
  }

  /** After a removal of the newest events it may miss some: as after any removal, the owners are notified within a second. */
  function selectMoved(): readonly RunName[] {
    if (open === null) return [];
    const after = event;
    event = open.lastEvent();
    return event > after ? open.selectMoved(after) : [];
  }

  const polled = createPolledNotifications({
    selectPositions: connection.inFile ? selectPositions : null,
    selectMoved,
    pollMs: POLL_MS,
  });
  const joinedPoller = createPoller({
    poll() {
      if (isInTransaction(db)) return;
      polled.committed([...joinedRuns.values()]);
      joinedRuns.clear();
    },
    isNeeded: () => joinedRuns.size > 0,
    pauseMs: () => POLL_MS,
  });

  return {
    ...polled,
    subscribe(subject, onNotification) {
      const { stop } = polled.subscribe(subject, onNotification);
      const ready = connection.perform((opened) => {
        open = opened;
        // Only once: a later subscription must not skip a commit that an earlier one waits for.
        if (!connection.inFile || version !== null) return;
        version = opened.dataVersion();
        event = opened.lastEvent();
      });
      // A caller that does not wait for `ready` gets the failure from its next read.
      ready.catch(() => {});
      return { ready, stop };
    },
    joined(runs) {
      // Even of runs without subscriptions: one may be added before the commit.
      // Without its position, since the caller may roll back, and the position come again with other events.
      for (const run of runs) joinedRuns.set(nameKey(run), { ...run, lastSequence: null });
      joinedPoller.start(0);
    },
    close() {
      polled.close();
      joinedPoller.stop();
    },
  };
}
