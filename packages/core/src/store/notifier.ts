import { afterThis } from "../time/clock.ts";

/** The subscriptions of one process, by run. */
export interface Notifier {
  /** The runs that have subscriptions. */
  runIds(): IterableIterator<string>;
  /** Whether the run has subscriptions. */
  has(runId: string): boolean;
  /** Adds a subscription. The returned function stops it, and may be called twice. */
  add(runId: string, onNotification: () => void): () => void;
  /** Notifies all subscriptions of the run after the current synchronous work. Calls until then merge into one. */
  notify(runId: string): void;
  /** Notifies all subscriptions of all runs, as `notify` does. */
  notifyAll(): void;
  /** Stops all subscriptions. */
  clear(): void;
}

/** One subscription. */
interface Entry {
  onNotification: () => void;
}

/**
 * Makes the notifier of an adapter: it keeps the subscriptions of one process. It notifies in a microtask, so that no reader acts
 * inside an append that has not answered yet. A subscription that was stopped meanwhile is not notified.
 * @see clauses S13 and S14 in `STORE.md`
 */
export function createNotifier(): Notifier {
  // Arrays and not sets: they take less memory, and a run mostly has one subscription.
  const entries = new Map<string, readonly Entry[]>();
  const notifying = new Set<string>();

  function notify(runId: string): void {
    if (!entries.has(runId)) return;
    if (notifying.size === 0) afterThis(flush);
    notifying.add(runId);
  }

  function flush(): void {
    const runIds = [...notifying];
    notifying.clear();
    for (const runId of runIds) {
      // The array as it is now: a callback may stop other subscriptions or add some, and neither are notified.
      for (const entry of entries.get(runId) ?? []) entry.onNotification();
    }
  }

  function remove(runId: string, entry: Entry): void {
    entry.onNotification = silent;
    const left = entries.get(runId)?.filter((other) => other !== entry) ?? [];
    if (left.length === 0) entries.delete(runId);
    else entries.set(runId, left);
  }

  return {
    runIds: () => entries.keys(),
    has: (runId) => entries.has(runId),
    add(runId, onNotification) {
      // An object for each call: the same function may be added twice and stopped once.
      const entry: Entry = { onNotification };
      entries.set(runId, [...(entries.get(runId) ?? []), entry]);
      return () => remove(runId, entry);
    },
    notify,
    notifyAll() {
      for (const runId of entries.keys()) notify(runId);
    },
    clear() {
      // A callback may call this while other subscriptions of its run are still to be notified.
      for (const entry of [...entries.values()].flat()) entry.onNotification = silent;
      entries.clear();
    },
  };
}

/** The callback of a subscription that was stopped. */
function silent(): void {}
