import { RunEventsError } from "@tm/run-events-core";
import { closedSubscription, type RunEventStore } from "@tm/run-events-core/store";
import type { OpenedStore } from "./opened-store.ts";
import { isAway } from "./is-away.ts";

/** The pause between two attempts to open the store, in milliseconds. */
const PAUSE_MS = 1_000;

/** The capabilities that core assumes until the store is open: those that hold for every store on a server. */
const CAPABILITIES: RunEventStore["capabilities"] = {
  durability: "unknown",
  shared: true,
  joinsTransaction: false,
  losesAnswers: true,
  appendsAtOnce: 2,
  notifyWithinMs: 10_000,
  // Core sizes its calls by these for good.
  mostEvents: 10_000,
  mostBytes: 64 * 1_024 * 1_024,
};

/** A store that was away at the start, and is opened when it is back. */
export interface LateStore extends OpenedStore {
  /** Resolves when the store is open. Rejects if a later attempt fails for a reason that does not pass. */
  readonly opening: Promise<void>;
}

/**
 * Opens a store that is away now, by trying every second until it is back. Until then every call fails with `store_unavailable`, and
 * nothing is sent.
 * @param open makes one attempt, which has a time limit
 * @param first why the first attempt failed
 */
export function openLate(open: () => Promise<OpenedStore>, first: unknown): LateStore {
  const observers = new Set<Parameters<NonNullable<RunEventStore["observe"]>>[0]>();
  const unavailable = new RunEventsError(
    "store_unavailable",
    "The store has not been reached since the server started, and the server keeps trying. See the server's log for the reason.",
    { cause: first },
  );
  let opened: OpenedStore | null = null;
  let stop = (): void => {};
  const stopped = new Promise<void>((resolve) => (stop = resolve));
  let isStopped = false;

  async function attempt(): Promise<OpenedStore | null> {
    try {
      return await open();
    } catch (error) {
      if (isAway(error)) return null;
      throw error;
    }
  }

  async function persist(): Promise<void> {
    for (;;) {
      const pause = Promise.withResolvers<void>();
      const timer = setTimeout(pause.resolve, PAUSE_MS);
      await Promise.race([pause.promise, stopped]);
      clearTimeout(timer);
      if (isStopped) return;
      const found = await attempt();
      if (found === null) continue;
      if (isStopped) {
        await found.store.close();
        return found.release();
      }
      for (const report of observers) found.store.observe?.(report);
      opened = found;
      return;
    }
  }

  const ask = async <Answer>(call: (store: RunEventStore) => Promise<Answer>): Promise<Answer> => {
    if (opened === null) throw unavailable;
    return call(opened.store);
  };
  const store: RunEventStore = {
    get capabilities() {
      return opened?.store.capabilities ?? CAPABILITIES;
    },
    append: (plains) => ask((to) => to.append(plains)),
    change: (changes) => ask((to) => to.change(changes)),
    read: (queries) => ask((to) => to.read(queries)),
    list: (query) => ask((to) => to.list(query)),
    probe: () => ask((to) => to.probe()),
    subscribe: (subject, onNotification) =>
      opened === null ? closedSubscription() : opened.store.subscribe(subject, onNotification),
    observe(report) {
      if (opened === null) observers.add(report);
      else opened.store.observe?.(report);
    },
    close: async () => opened?.store.close(),
  };
  const opening = persist();
  return {
    store,
    opening,
    async release() {
      isStopped = true;
      stop();
      // An attempt that is under way releases what it opens.
      await opened?.release();
    },
  };
}
