import { storeClosed } from "../rules/errors.ts";
import type { OwnedRun, RunPosition } from "../rules/run.ts";
import { isOwnerName, ownerName } from "../rules/owner-name.ts";
import { type Clock, systemClock } from "../time/clock.ts";
import { createPoller } from "./poller.ts";
import { after, type Answer } from "./answers.ts";
import { createSeenHeads } from "./seen-heads.ts";
import type { Subject, Subscription } from "./store.ts";
import { createNotifier, nameOf, type OnNotification } from "./notifier.ts";

/** How a store notifies the subscriptions of its runs. */
export interface Notifications {
  /** As the contract's `subscribe`. */
  subscribe(subject: Subject, onNotification: OnNotification): Subscription;
  /** Notifies of runs that an append of this store has moved. */
  moved(heads: readonly (RunPosition & OwnedRun)[]): void;
  /** Notifies of runs that this store has created or removed. */
  changed(runs: readonly OwnedRun[]): void;
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
  /**
   * The runs that appends have moved since the last call, for the subscriptions to owners. It may lack some, and have some that this store
   * has moved itself. Called after an answer of `selectPositions` that is not `null`, while there are such subscriptions.
   * @defaultValue none: they are notified once a second that any run may have changed, as they are in any case
   */
  readonly selectMoved?: (() => Answer<readonly OwnedRun[]>) | undefined;
  /** How often to poll while there are subscriptions, in milliseconds. */
  readonly pollMs: number;
  /**
   * The longest pause after a poll that took long, in milliseconds.
   * @defaultValue Infinity
   */
  readonly mostPauseMs?: number | undefined;
  readonly clock?: Clock | undefined;
}

/** How often owners are notified that any run may have changed, while others commit, in milliseconds. No query shows every change. */
const OWNERS_MS = 1_000;

/**
 * Notifies by polling: of this store's own commits at once, of others' commits when a poll finds them. The first poll of a run
 * always notifies, so a subscription is ready from the start. Without subscriptions nothing is polled. Subscriptions to owners are also
 * notified once a second, unless a poll answers that nothing has changed.
 * @see clauses S13 to S15 in `STORE.md`
 */
export function createPolledNotifications(options: PolledNotificationsOptions): Notifications {
  const { selectPositions, selectMoved, pollMs, mostPauseMs, clock = systemClock } = options;
  const notifier = createNotifier();
  const seen = createSeenHeads();
  let isClosed = false;
  let ownersAtMs = Number.NEGATIVE_INFINITY;
  let areOwnersOwed = false;
  const poller = createPoller({
    poll,
    isNeeded: () => selectPositions !== null && notifier.names().next().done !== true,
    pauseMs: () => pollMs,
    mostPauseMs,
    clock,
  });

  function poll(): Answer<void> {
    const runIds = [...notifier.names()].filter((name) => !isOwnerName(name));
    const positions = selectPositions?.(runIds) ?? null;
    return after(positions, (found) => receive(runIds, found));
  }

  /** Subscriptions may have been added and stopped since the query began. */
  function receive(
    runIds: readonly string[],
    positions: readonly RunPosition[] | null,
  ): Answer<void> {
    // What comes within a second of the last time is remembered.
    areOwnersOwed ||= positions !== null;
    if (areOwnersOwed && clock.now() - ownersAtMs >= OWNERS_MS) notifyOwners();
    if (positions === null) return;
    const found = new Map(positions.map((position) => [position.runId, position]));
    for (const runId of runIds) see(runId, found.get(runId) ?? null);
    if (selectMoved === undefined || ![...notifier.names()].some(isOwnerName)) return;
    return after(selectMoved(), (moved) => moved.forEach(notifyOwnerOf));
  }

  function notifyOwners(): void {
    ownersAtMs = clock.now();
    areOwnersOwed = false;
    for (const name of notifier.names()) if (isOwnerName(name)) notifier.notify(name, null);
  }

  function notifyOwnerOf({ runId, ownerId }: OwnedRun): void {
    notifier.notify(ownerName(ownerId), runId);
  }

  function see(runId: string, position: RunPosition | null): void {
    if (notifier.has(runId) && seen.see(runId, position)) notifier.notify(runId, runId);
  }

  function add(name: string, onNotification: OnNotification): () => void {
    const remove = notifier.add(name, onNotification);
    return () => {
      remove();
      if (!notifier.has(name)) seen.forget(name);
    };
  }

  return {
    subscribe(subject, onNotification) {
      if (isClosed) return closedSubscription();
      const stop = add(nameOf(subject), onNotification);
      poller.start(pollMs);
      return { ready: Promise.resolve(), stop };
    },
    moved(heads) {
      for (const head of heads) {
        see(head.runId, head);
        notifyOwnerOf(head);
      }
    },
    changed(runs) {
      for (const run of runs) {
        notifier.notify(run.runId, run.runId);
        notifyOwnerOf(run);
      }
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
