import { createMemoryStore, RunEventsError } from "@tm/run-events-core";
import type { RunEventStore } from "@tm/run-events-core/store";

/** A store in memory that refuses appends and reads as a test says. */
export interface FailingStore {
  readonly store: RunEventStore;
  /** Refuses so many appends from now on. */
  refuse(times: number, error?: RunEventsError): void;
  /** Refuses so many reads and lists from now on. */
  refuseReads(times: number): void;
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
export function createFailingStore(): FailingStore {
  const store = createMemoryStore();
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
      async append(requests) {
        if (left === 0) return store.append(requests);
        left -= 1;
        throw refusal;
      },
      async read(queries) {
        checkRead();
        return store.read(queries);
      },
      async listRuns(query) {
        checkRead();
        return store.listRuns(query);
      },
    },
    refuse(times, error = AWAY) {
      left = times;
      refusal = error;
    },
    refuseReads(times) {
      readsLeft = times;
    },
  };
}
