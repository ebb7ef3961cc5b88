import { afterThis } from "../time/clock.ts";
import { type Head, nameKey, type RunName } from "../rules/head.ts";

/** Called with the run that may have changed; `null` for any run of the owner. */
export type OnNotification = (runId: string | null) => void;

/** The subject of a subscription: a run, or all runs of an owner. */
export type Subject = RunName | Pick<RunName, "ownerId">;

/** The values that distinguish one state of a run's log from the next: every append moves its last sequence. */
export type Position = Pick<Head, keyof RunName | "ordinal" | "lastSequence">;

/** The subscriptions of one process, by the texts that `nameKey` makes. */
export interface Notifier {
  /** Whether nothing has subscriptions. */
  isEmpty(): boolean;
  /** The runs and owners that have subscriptions. */
  subjects(): IterableIterator<Subject>;
  /** Adds a subscription. The returned function stops it, and may be called twice. */
  add(subject: Subject, onNotification: OnNotification): () => void;
  /**
   * Notifies all subscriptions of the run or the owner after the current synchronous work. Calls until then merge.
   * @param runId which run may have changed; `null` for any run of the owner
   */
  notify(key: string, runId: string | null): void;
  /** Notifies of a run: its own subscriptions, and those to its owner. */
  notifyOf(run: RunName): void;
  /**
   * Notifies the subscriptions of a run of a position that was found, `null` if the run does not exist: if it is the first, or later than all
   * before, by the run's ordinal and then by its sequence. A poll's answer that a notification has overtaken therefore notifies of nothing.
   * @returns `null` if they were not notified; otherwise whether the position was their first
   */
  see(run: RunName, position: Position | null): "first" | "later" | null;
  /** Notifies all subscriptions that anything may have changed. */
  notifyAll(): void;
  /** Stops all subscriptions. */
  clear(): void;
}

/** One subscription. */
interface Entry {
  onNotification: OnNotification;
}

/** The subscriptions to one run or owner. */
interface Subscribed {
  readonly subject: Subject;
  readonly entries: readonly Entry[];
  /** The latest position that they were notified of; `undefined` before the first. */
  seen?: Position | null;
}

/**
 * Makes the notifier of an adapter: it keeps the subscriptions of one process. It notifies in a microtask, so that no reader acts
 * inside an append that has not answered yet. A subscription that was stopped meanwhile is not notified.
 * @see clause S13 in `STORE.md`
 */
export function createNotifier(): Notifier {
  // Arrays and not sets: they take less memory, and a run mostly has one subscription.
  const subscribed = new Map<string, Subscribed>();
  /** The runs to notify of, by name. */
  const notifying = new Map<string, Set<string | null>>();

  function notify(key: string, runId: string | null): void {
    if (!subscribed.has(key)) return;
    if (notifying.size === 0) afterThis(flush);
    const runIds = notifying.get(key);
    if (runIds === undefined) notifying.set(key, new Set([runId]));
    else runIds.add(runId);
  }

  function flush(): void {
    const all = [...notifying];
    notifying.clear();
    for (const [key, runIds] of all) {
      const changed = runIds.has(null) ? [null] : runIds;
      for (const runId of changed) {
        // The array as it is now: a callback may stop other subscriptions or add some, and neither are notified.
        for (const entry of subscribed.get(key)?.entries ?? []) entry.onNotification(runId);
      }
    }
  }

  function remove(key: string, entry: Entry): void {
    entry.onNotification = silent;
    const found = subscribed.get(key);
    if (found === undefined) return;
    const entries = found.entries.filter((other) => other !== entry);
    if (entries.length === 0) subscribed.delete(key);
    else subscribed.set(key, { ...found, entries });
  }

  return {
    isEmpty: () => subscribed.size === 0,
    *subjects() {
      for (const { subject } of subscribed.values()) yield subject;
    },
    add(subject, onNotification) {
      // An object for each call: the same function may be added twice and stopped once.
      const entry: Entry = { onNotification };
      const key = nameKey(subject);
      const before = subscribed.get(key) ?? { subject, entries: [] };
      subscribed.set(key, { ...before, entries: [...before.entries, entry] });
      return () => remove(key, entry);
    },
    notify,
    notifyOf(run) {
      notify(nameKey(run), run.runId);
      notify(nameKey({ ownerId: run.ownerId }), run.runId);
    },
    see(run, position) {
      const key = nameKey(run);
      const found = subscribed.get(key);
      if (found === undefined) return null;
      const { seen } = found;
      if (seen !== undefined && !isLater(position, seen)) return null;
      found.seen = position;
      notify(key, run.runId);
      return seen === undefined ? "first" : "later";
    },
    notifyAll() {
      for (const key of subscribed.keys()) notify(key, null);
    },
    clear() {
      // A callback may call this while other subscriptions of its run are still to be notified.
      const all = [...subscribed.values()].flatMap(({ entries }) => entries);
      for (const entry of all) entry.onNotification = silent;
      subscribed.clear();
    },
  };
}

function isLater(found: Position | null, seen: Position | null): boolean {
  if (found === null || seen === null) return found !== seen;
  return found.ordinal === seen.ordinal
    ? found.lastSequence > seen.lastSequence
    : found.ordinal > seen.ordinal;
}

/** The callback of a subscription that was stopped. */
function silent(): void {}
