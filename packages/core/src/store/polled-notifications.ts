import { storeClosed } from "../rules/errors.ts";
import type { Clock } from "../time/clock.ts";
import { createPoller } from "./poller.ts";
import { type Answer, isLater } from "./answers.ts";
import { createSeenHeads, type RunPosition } from "./seen-heads.ts";
import type { Watch } from "./store.ts";
import { createWatchers } from "./watchers.ts";

/** How a store notifies the watches of its runs. */
export interface Notifications {
  /** As the contract's `watch`. */
  watch(runId: string, wake: () => void): Watch;
  /** Notifies of runs that an append of this store has moved. */
  moved(heads: readonly RunPosition[]): void;
  /** Notifies of runs that this store has made or removed. */
  changed(runIds: readonly string[]): void;
  /** Ends every watch. */
  close(): void;
}

/** Settings of `createPolledNotifications`. */
export interface PolledNotificationsOptions {
  /**
   * The positions of the watched runs that exist, in one query for all of them; `null` if nothing has changed since the last answer.
   * If it throws, the next look tries again. Give `null` instead of a function if only this store commits: then nothing is polled.
   */
  readonly selectPositions:
    | ((runIds: readonly string[]) => Answer<readonly RunPosition[] | null>)
    | null;
  /** How often to look while there are watches, in milliseconds. */
  readonly pollMs: number;
  /** As of `createPoller`. */
  readonly mostPauseMs?: number | undefined;
  readonly clock?: Clock | undefined;
}

/**
 * Notifies by polling: of this store's own commits at once, of others' commits when a look finds them. The first look at a run
 * always notifies, so a watch is ready from the start. Without watches there are no looks.
 * @see S13-S15
 */
export function createPolledNotifications(options: PolledNotificationsOptions): Notifications {
  const { selectPositions, pollMs, mostPauseMs, clock } = options;
  const watchers = createWatchers();
  const seen = createSeenHeads();
  let isClosed = false;
  const poller = createPoller({
    look,
    isNeeded: () => selectPositions !== null && watchers.runIds().next().done !== true,
    pauseMs: () => pollMs,
    mostPauseMs,
    clock,
  });

  function look(): Answer<void> {
    const runIds = [...watchers.runIds()];
    const positions = selectPositions?.(runIds) ?? null;
    if (isLater(positions)) return positions.then((found) => take(runIds, found));
    take(runIds, positions);
  }

  /** Watches may have been added and stopped since the query began. */
  function take(runIds: readonly string[], positions: readonly RunPosition[] | null): void {
    if (positions === null) return;
    const found = new Map(positions.map((position) => [position.runId, position]));
    for (const runId of runIds) see(runId, found.get(runId) ?? null);
  }

  function see(runId: string, position: RunPosition | null): void {
    if (watchers.has(runId) && seen.see(runId, position)) watchers.ring(runId);
  }

  function add(runId: string, wake: () => void): () => void {
    const remove = watchers.add(runId, wake);
    return () => {
      remove();
      if (!watchers.has(runId)) seen.forget(runId);
    };
  }

  return {
    watch(runId, wake) {
      if (isClosed) return closedWatch();
      const stop = add(runId, wake);
      poller.start(pollMs);
      return { ready: Promise.resolve(), stop };
    },
    moved(heads) {
      for (const head of heads) see(head.runId, head);
    },
    changed(runIds) {
      for (const runId of runIds) watchers.ring(runId);
    },
    close() {
      isClosed = true;
      watchers.clear();
      poller.stop();
    },
  };
}

/** A watch on a store that is closed. @see S18 */
export function closedWatch(): Watch {
  const ready = Promise.reject(storeClosed());
  // A caller that does not wait for `ready` learns of it from the next read.
  ready.catch(() => {});
  return { ready, stop() {} };
}
