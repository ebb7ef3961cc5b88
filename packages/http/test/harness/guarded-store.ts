import type { RunEventStore } from "@tm/run-events-core/store";

export type StoreCall = Exclude<
  keyof RunEventStore,
  "capabilities" | "observe" | "subscribe" | "close"
>;

/** A store whose line a test can cut and hold. */
export interface GuardedStore extends RunEventStore {
  /** Makes every call from now on fail with this; `null` mends the line. */
  cut(error: Error | null): void;
  /** Holds calls of this name until the returned function is called. */
  hold(name: StoreCall): () => void;
  /** Lets go of all that is held. */
  releaseAll(): void;
  /** The calls that are being held. */
  held(): number;
  /** The number of times that the store was asked for this so far. A call of `read` counts once for each of its queries. */
  asked(name: StoreCall): number;
  /** Notifies every subscription, as a store may at any time. */
  notifyAll(): void;
  /** Loses every notification from now on. */
  silence(): void;
  /** The subscriptions that have not been stopped. */
  subscriptions(): number;
}

/** Puts a line in front of a real store. */
export function guardStore(store: RunEventStore): GuardedStore {
  const gates = new Map<StoreCall, Promise<void>>();
  const counts = new Map<StoreCall, number>();
  const releases = new Set<() => void>();
  const callbacks = new Set<() => void>();
  let failure: Error | null = null;
  let held = 0;
  let silent = false;

  async function call<Result>(
    name: StoreCall,
    task: () => Promise<Result>,
    count = 1,
  ): Promise<Result> {
    counts.set(name, (counts.get(name) ?? 0) + count);
    const gate = gates.get(name);
    if (gate !== undefined) {
      held += 1;
      await gate;
      held -= 1;
    }
    if (failure !== null) throw failure;
    return task();
  }

  return {
    capabilities: store.capabilities,
    append: (plains) => call("append", () => store.append(plains)),
    change: (changes) => call("change", () => store.change(changes)),
    read: (queries) => call("read", () => store.read(queries), queries.length),
    list: (query) => call("list", () => store.list(query)),
    probe: () => call("probe", () => store.probe()),
    subscribe(subject, onNotification) {
      const subscription = store.subscribe(subject, (runId) => {
        if (!silent) onNotification(runId);
      });
      const notify = (): void => onNotification("runId" in subject ? subject.runId : null);
      callbacks.add(notify);
      return {
        ready: subscription.ready,
        stop() {
          callbacks.delete(notify);
          subscription.stop();
        },
      };
    },
    close: () => store.close(),
    cut: (error) => void (failure = error),
    hold(name) {
      const { promise, resolve } = Promise.withResolvers<void>();
      gates.set(name, promise);
      const release = (): void => {
        releases.delete(release);
        if (gates.get(name) === promise) gates.delete(name);
        resolve();
      };
      releases.add(release);
      return release;
    },
    releaseAll() {
      for (const release of releases) release();
    },
    held: () => held,
    asked: (name) => counts.get(name) ?? 0,
    notifyAll() {
      for (const onNotification of callbacks) onNotification();
    },
    silence: () => void (silent = true),
    subscriptions: () => callbacks.size,
  };
}
