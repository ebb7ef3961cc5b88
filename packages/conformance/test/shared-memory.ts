import { createMemoryStore } from "@tm/run-events-core";
import { closedSubscription, createCalls, type RunEventStore } from "@tm/run-events-core/store";

/** The faults of a store: in its data, beneath all store objects, or in each object that is opened on them. */
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
  const calls = createCalls();
  const stops = new Set<() => void>();
  let isClosed = false;

  return {
    capabilities: { ...data.capabilities, durability: "process", shared: true },
    append: (plains) => calls.run(() => data.append(plains)),
    change: (changes) => calls.run(() => data.change(changes)),
    read: (queries) => calls.run(() => data.read(queries)),
    list: (query) => calls.run(() => data.list(query)),
    probe: () => calls.run(() => data.probe()),
    subscribe(subject, onNotification) {
      if (isClosed) return closedSubscription();
      const { ready, stop } = data.subscribe(subject, onNotification);
      stops.add(stop);
      return {
        ready,
        stop() {
          stops.delete(stop);
          stop();
        },
      };
    },
    close() {
      isClosed = true;
      for (const stop of stops) stop();
      stops.clear();
      return calls.close();
    },
  };
}
