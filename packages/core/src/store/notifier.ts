import { ownerName } from "../rules/owner-name.ts";
import { afterThis } from "../time/clock.ts";
import type { Subject } from "./store.ts";

/** Called with the run that may have changed; `null` for any run of the owner. */
export type OnNotification = (runId: string | null) => void;

/** The subscriptions of one process, by the ids of runs and the names of owners. */
export interface Notifier {
  /** The runs and owners that have subscriptions. */
  names(): IterableIterator<string>;
  /** Whether the run or the owner has subscriptions. */
  has(name: string): boolean;
  /** Adds a subscription. The returned function stops it, and may be called twice. */
  add(name: string, onNotification: OnNotification): () => void;
  /**
   * Notifies all subscriptions of the run or the owner after the current synchronous work. Calls until then merge.
   * @param runId which run may have changed; `null` for any run of the owner
   */
  notify(name: string, runId: string | null): void;
  /** Notifies all subscriptions that anything may have changed. */
  notifyAll(): void;
  /** Stops all subscriptions. */
  clear(): void;
}

/** One subscription. */
interface Entry {
  onNotification: OnNotification;
}

/** The name under which a notifier has the subscriptions to a run or an owner. */
export function nameOf(subject: Subject): string {
  return typeof subject === "string" ? subject : ownerName(subject.ownerId);
}

/**
 * Makes the notifier of an adapter: it keeps the subscriptions of one process. It notifies in a microtask, so that no reader acts
 * inside an append that has not answered yet. A subscription that was stopped meanwhile is not notified.
 * @see clauses S13 and S14 in `STORE.md`
 */
export function createNotifier(): Notifier {
  // Arrays and not sets: they take less memory, and a run mostly has one subscription.
  const entries = new Map<string, readonly Entry[]>();
  /** The runs to notify of, by name. */
  const notifying = new Map<string, Set<string | null>>();

  function notify(name: string, runId: string | null): void {
    if (!entries.has(name)) return;
    if (notifying.size === 0) afterThis(flush);
    const runIds = notifying.get(name);
    if (runIds === undefined) notifying.set(name, new Set([runId]));
    else runIds.add(runId);
  }

  function flush(): void {
    const all = [...notifying];
    notifying.clear();
    for (const [name, runIds] of all) {
      const changed = runIds.has(null) ? [null] : runIds;
      for (const runId of changed) {
        // The array as it is now: a callback may stop other subscriptions or add some, and neither are notified.
        for (const entry of entries.get(name) ?? []) entry.onNotification(runId);
      }
    }
  }

  function remove(name: string, entry: Entry): void {
    entry.onNotification = silent;
    const left = entries.get(name)?.filter((other) => other !== entry) ?? [];
    if (left.length === 0) entries.delete(name);
    else entries.set(name, left);
  }

  return {
    names: () => entries.keys(),
    has: (name) => entries.has(name),
    add(name, onNotification) {
      // An object for each call: the same function may be added twice and stopped once.
      const entry: Entry = { onNotification };
      entries.set(name, [...(entries.get(name) ?? []), entry]);
      return () => remove(name, entry);
    },
    notify,
    notifyAll() {
      for (const name of entries.keys()) notify(name, null);
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
