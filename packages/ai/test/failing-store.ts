import { createMemoryStore, RunEventsError } from "@tm/run-events-core";
import type { RunEventStore } from "@tm/run-events-core/store";

/** A store in memory that refuses appends and reads as a test says. */
export interface FailingStore {
  readonly store: RunEventStore;
  /** Refuses so many appends from now on; not creations, claims and renewals. */
  refuse(times: number, error?: RunEventsError): void;
  /** The number of appends that it is still to refuse. */
  left(): number;
  /** Refuses so many reads and lists from now on. */
  refuseReads(times: number): void;
  /** Refuses all writes from now on, also renewals, as if its process were dead. */
  cutOff(): void;
}

/** Why a store that is away for a moment refuses an append: it has not landed. */
const AWAY: RunEventsError = new RunEventsError("store_unavailable", "The store is away.");
/** Why an append failed that may have landed. */
export const IN_DOUBT: RunEventsError = new RunEventsError(
  "store_unavailable",
  "The answer is lost.",
  {
    ambiguous: true,
  },
);

/** Makes a store whose calls fail before they reach it. */
export function createFailingStore(store: RunEventStore = createMemoryStore()): FailingStore {
  let isCutOff = false;
  let left = 0;
  let readsLeft = 0;
  let refusal = AWAY;

  function checkRead(): void {
    if (readsLeft === 0) return;
    readsLeft -= 1;
    throw AWAY;
  }

  return {
    store: {
      ...store,
      async append(plains) {
        if (isCutOff) throw AWAY;
        const isRenewal = plains.every(({ events }) => events.length === 0);
        if (left === 0 || isRenewal) return store.append(plains);
        left -= 1;
        throw refusal;
      },
      async change(changes) {
        if (isCutOff) throw AWAY;
        return store.change(changes);
      },
      async read(queries) {
        checkRead();
        return store.read(queries);
      },
      async list(query) {
        checkRead();
        return store.list(query);
      },
    },
    refuse(times, error = AWAY) {
      left = times;
      refusal = error;
    },
    left: () => left,
    refuseReads(times) {
      readsLeft = times;
    },
    cutOff() {
      isCutOff = true;
    },
  };
}
