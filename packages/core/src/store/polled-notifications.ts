import { storeClosed } from "../rules/errors.ts";
import { nameKey, type RunName } from "../rules/head.ts";
import type { Clock } from "../time/clock.ts";
import { systemClock } from "../time/clock.ts";
import { after, type Answer } from "./answers.ts";
import { createNotifier, type OnNotification, type Position, type Subject } from "./notifier.ts";
import { createPoller } from "./poller.ts";
import type { Subscription } from "./store.ts";
import type { Committed } from "./sync-work.ts";

/** Options of a store's notifications. */
export interface Notifications {
  /** As the contract's `subscribe`. */
  subscribe(subject: Subject, onNotification: OnNotification): Subscription;
  /** Notifies of commits of this store's own. */
  committed(runs: readonly Committed[]): void;
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
    | ((names: readonly RunName[]) => Answer<readonly Position[] | null>)
    | null;
  /**
   * The runs that appends have moved since the last call, for the subscriptions to owners. It may lack some, and have some that this store
   * has moved itself. Called after an answer of `selectPositions` that is not `null`, while there are such subscriptions.
   * @defaultValue none: they are notified once a second that any run may have changed, as they are in any case
   */
  readonly selectMoved?: (() => Answer<readonly RunName[]>) | undefined;
  /** The interval of polls while there are subscriptions, in milliseconds. */
  readonly pollMs: number;
  readonly clock?: Clock | undefined;
}

/**
 * The interval at which owners are notified that any run may have changed, while others commit, in milliseconds: no query shows every change.
 */
const OWNERS_MS = 1_000;

/**
 * Notifies by polling: of this store's own commits at once, of others' commits when a poll finds them. The first poll of a run
 * always notifies, so a subscription is ready from the start. Without subscriptions nothing is polled. Subscriptions to owners are also
 * notified once a second, unless a poll answers that nothing has changed.
 * @see clause S13 in `STORE.md`
 */
export function createPolledNotifications(options: PolledNotificationsOptions): Notifications {
  const { selectPositions, selectMoved, pollMs, clock = systemClock } = options;
  const notifier = createNotifier();
  let isClosed = false;
  let ownersAtMs = Number.NEGATIVE_INFINITY;
  let areOwnersOwed = false;
  const poller = createPoller({
    poll,
    isNeeded: () => selectPositions !== null && !notifier.isEmpty(),
    pauseMs: () => pollMs,
    clock,
  });

  function poll(): Answer<void> {
    const names = [...notifier.subjects()].filter((subject) => "runId" in subject);
    const positions = selectPositions?.(names) ?? null;
    return after(positions, (found) => receive(names, found));
  }

  /** Subscriptions may have been added and stopped since the query began. */
  function receive(names: readonly RunName[], positions: readonly Position[] | null): Answer<void> {
    // A change within `OWNERS_MS` of the last time is not lost: the owners are notified of it later.
    areOwnersOwed ||= positions !== null;
    if (areOwnersOwed && clock.now() - ownersAtMs >= OWNERS_MS) notifyOwners();
    if (positions === null) return;
    const found = new Map(positions.map((position) => [nameKey(position), position]));
    for (const name of names) notifier.see(name, found.get(nameKey(name)) ?? null);
    if (selectMoved === undefined || owners().next().done === true) return;
    return after(selectMoved(), (moved) => {
      for (const { ownerId, runId } of moved) notifier.notify(nameKey({ ownerId }), runId);
    });
  }

  function* owners(): Generator<Subject, void, undefined> {
    for (const subject of notifier.subjects()) if (!("runId" in subject)) yield subject;
  }

  function notifyOwners(): void {
    ownersAtMs = clock.now();
    areOwnersOwed = false;
    for (const owner of owners()) notifier.notify(nameKey(owner), null);
  }

  return {
    subscribe(subject, onNotification) {
      if (isClosed) return closedSubscription();
      const stop = notifier.add(subject, onNotification);
      poller.start(pollMs);
      return { ready: Promise.resolve(), stop };
    },
    committed(runs) {
      if (notifier.isEmpty()) return;
      for (const run of runs) {
        if (run.lastSequence === null) notifier.notifyOf(run);
        else {
          notifier.see(run, run as Position);
          notifier.notify(nameKey({ ownerId: run.ownerId }), run.runId);
        }
      }
    },
    close() {
      isClosed = true;
      notifier.clear();
      poller.stop();
    },
  };
}

/**
 * A subscription to a store that is closed, or refuses it for another reason: its `ready` rejects.
 * @see clause S18 in `STORE.md`
 */
export function closedSubscription(refusal: unknown = storeClosed()): Subscription {
  const ready = Promise.reject<void>(refusal);
  // A caller that does not wait for `ready` gets the same error from its next read.
  ready.catch(() => {});
  return { ready, stop() {} };
}
