import { afterThis } from "../time/clock.ts";

/** The subscriptions of one process, by run. */
export interface Notifier {
  /** The runs that have subscriptions. */
  runIds(): IterableIterator<string>;
  /** Whether the run has subscriptions. */
  has(runId: string): boolean;
  /** Adds a subscription. The returned function stops it, and may be called twice. */
  add(runId: string, onNotification: () => void): () => void;
  /** Notifications all subscriptions of the run after the current synchronous work. Calls until then merge into one. */
  notify(runId: string): void;
  notifyAll(): void;
  /** Stops all subscriptions. */
  clear(): void;
}

interface NotificationCounter {
  onNotification: () => void;
}

/**
 * Keeps the subscriptions of an adapter. They are notified in a microtask, so that no reader acts inside an append that has not answered yet.
 * A watch that was stopped meanwhile is not notified.
 * @see S13, S14
 */
export function createNotifier(): Notifier {
  // Arrays and not sets: they take less memory, and a run mostly has one subscription.
  const counters = new Map<string, readonly NotificationCounter[]>();
  const notifying = new Set<string>();

  function notify(runId: string): void {
    if (!counters.has(runId)) return;
    if (notifying.size === 0) afterThis(notifyAll);
    notifying.add(runId);
  }

  function notifyAll(): void {
    const runIds = [...notifying];
    notifying.clear();
    for (const runId of runIds) {
      // The array of this moment: a subscription that another subscription's notify stops is not notified, and one that it adds is not notified either.
      for (const counter of counters.get(runId) ?? []) counter.onNotification();
    }
  }

  function remove(runId: string, counter: NotificationCounter): void {
    counter.onNotification = silent;
    const left = counters.get(runId)?.filter((other) => other !== counter) ?? [];
    if (left.length === 0) counters.delete(runId);
    else counters.set(runId, left);
  }

  return {
    runIds: () => counters.keys(),
    has: (runId) => counters.has(runId),
    add(runId, onNotification) {
      // An object for each call: the same function may be added twice and stopped once.
      const counter: NotificationCounter = { onNotification };
      counters.set(runId, [...(counters.get(runId) ?? []), counter]);
      return () => remove(runId, counter);
    },
    notify,
    notifyAll() {
      for (const runId of counters.keys()) notify(runId);
    },
    clear() {
      // A notify may call this while other subscriptions of its run are still to be notified.
      for (const counter of [...counters.values()].flat()) counter.onNotification = silent;
      counters.clear();
    },
  };
}

/** The notify of a subscription that was stopped. */
function silent(): void {}
