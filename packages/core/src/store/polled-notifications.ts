import { storeClosed } from "../rules/errors.ts";
import type { RunPosition } from "../rules/run.ts";
import type { Clock } from "../time/clock.ts";
import { createPoller } from "./poller.ts";
import { type Answer, isLater } from "./answers.ts";
import { createSeenHeads } from "./seen-heads.ts";
import type { Subscription } from "./store.ts";
import { createNotifier } from "./notifier.ts";

/** How a store notifies the subscriptions of its runs. */
export interface Notifications {
  /** As the contract's `subscribe`. */
  subscribe(runId: string, onNotification: () => void): Subscription;
  /** Notifies of runs that an append of this store has moved. */
  moved(heads: readonly RunPosition[]): void;
  /** Notifies of runs that this store has created or removed. */
  changed(runIds: readonly string[]): void;
  /** Ends every subscription. */
  close(): void;
}

/** Settings of {@link createPolledNotifications}. */
export interface PolledNotificationsOptions {
  /**
   * The positions of the subscribed runs that exist, in one query for all of them; `null` if nothing has changed since the last answer.
   * If it throws, the next poll tries again. Pass `null` instead of a function if only this store commits: then nothing is polled.
   */
  readonly selectPositions:
    | ((runIds: readonly string[]) => Answer<readonly RunPosition[] | null>)
    | null;
  /** How often to poll while there are subscriptions, in milliseconds. */
  readonly pollMs: number;
  /**
   * The longest pause after a poll that took long, in milliseconds.
   * @defaultValue Infinity
   */
  readonly mostPauseMs?: number | undefined;
  readonly clock?: Clock | undefined;
}

/**
 * Notifies by polling: of this store's own commits at once, of others' commits when a poll finds them. The first poll of a run
 * always notifies, so a subscription is ready from the start. Without subscriptions nothing is polled.
 * @see clauses S13 to S15 in `STORE.md`
 */
export function createPolledNotifications(options: PolledNotificationsOptions): Notifications {
  const { selectPositions, pollMs, mostPauseMs, clock } = options;
  const notifier = createNotifier();
  const seen = createSeenHeads();
  let isClosed = false;
  const poller = createPoller({
    poll,
    isNeeded: () => selectPositions !== null && notifier.runIds().next().done !== true,
    pauseMs: () => pollMs,
    mostPauseMs,
    clock,
  });

  function poll(): Answer<void> {
    const runIds = [...notifier.runIds()];
    const positions = selectPositions?.(runIds) ?? null;
    if (isLater(positions)) return positions.then((found) => receive(runIds, found));
    receive(runIds, positions);
  }

  /** Subscriptions may have been added and stopped since the query began. */
  function receive(runIds: readonly string[], positions: readonly RunPosition[] | null): void {
    if (positions === null) return;
    const found = new Map(positions.map((position) => [position.runId, position]));
    for (const runId of runIds) see(runId, found.get(runId) ?? null);
  }

  function see(runId: string, position: RunPosition | null): void {
    if (notifier.has(runId) && seen.see(runId, position)) notifier.notify(runId);
  }

  function add(runId: string, onNotification: () => void): () => void {
    const remove = notifier.add(runId, onNotification);
    return () => {
      remove();
      if (!notifier.has(runId)) seen.forget(runId);
    };
  }

  return {
    subscribe(runId, onNotification) {
      if (isClosed) return closedSubscription();
      const stop = add(runId, onNotification);
      poller.start(pollMs);
      return { ready: Promise.resolve(), stop };
    },
    moved(heads) {
      for (const head of heads) see(head.runId, head);
    },
    changed(runIds) {
      for (const runId of runIds) notifier.notify(runId);
    },
    close() {
      isClosed = true;
      notifier.clear();
      poller.stop();
    },
  };
}

/** A subscription to a store that is closed: its `ready` rejects. @see clause S18 in `STORE.md` */
export function closedSubscription(): Subscription {
  const ready = Promise.reject(storeClosed());
  // A caller that does not wait for `ready` gets the same error from its next read.
  ready.catch(() => {});
  return { ready, stop() {} };
}
