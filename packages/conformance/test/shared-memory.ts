import { createMemoryStore, RunEventsError } from "@tm/run-events-core";
import type { RunEventStore, Subscription } from "@tm/run-events-core/store";

/** How to break a store: its data, beneath all store objects, or each object that is opened on them. */
export interface Breakage {
  readonly data?: (data: RunEventStore) => RunEventStore;
  readonly object?: (object: RunEventStore, data: RunEventStore) => RunEventStore;
  /** The clock of the data, in milliseconds since 1970. Default `Date.now`. */
  readonly now?: () => number;
}

/** The place is the data that all store objects have in common. */
export interface SharedMemoryDoors {
  readonly prepare: () => RunEventStore;
  readonly open: (data: RunEventStore) => RunEventStore;
}

/** Store objects on common data in memory: what a store shared by processes looks like from within one of them. */
export function sharedMemoryDoors({
  data: breakData = (data) => data,
  object: breakObject = (object) => object,
  now = Date.now,
}: Breakage = {}): SharedMemoryDoors {
  return {
    prepare: () => breakData(createMemoryStore({ now })),
    open: (data) => breakObject(openOn(data), data),
  };
}

function openOn(data: RunEventStore): RunEventStore {
  const subscriptions = new Set<Subscription>();
  let closed = false;

  function open(): RunEventStore {
    if (closed) throw new RunEventsError("store_unavailable", "The store is closed.");
    return data;
  }

  return {
    capabilities: { ...data.capabilities, durability: "process", shared: true },
    append: async (plains) => open().append(plains),
    change: async (changes) => open().change(changes),
    read: async (queries) => open().read(queries),
    list: async (query) => open().list(query),
    probe: async () => open().probe(),
    subscribe(subject, onNotification) {
      if (closed)
        return {
          ready: Promise.resolve()
            .then(open)
            .then(() => {}),
          stop() {},
        };
      const subscription = data.subscribe(subject, onNotification);
      subscriptions.add(subscription);
      return {
        ready: subscription.ready,
        stop() {
          subscriptions.delete(subscription);
          subscription.stop();
        },
      };
    },
    async close() {
      closed = true;
      for (const subscription of subscriptions) subscription.stop();
      subscriptions.clear();
    },
  };
}
