import { createMemoryStore, RunEventsError } from "@tm/run-events-core";
import type { RunEventStore } from "@tm/run-events-core/store";

/** A store in memory that refuses writes and reads as a test says. */
export interface FailingStore {
  readonly store: RunEventStore;
  /** Refuses so many writes from now on. */
  refuse(times: number, error?: RunEventsError): void;
  /** Refuses so many reads and lists from now on. */
  refuseReads(times: number): void;
}

/** Why a store that is away for a moment refuses a write: it has not landed. */
const AWAY: RunEventsError = new RunEventsError("store_unavailable", "The store is away.");
/** Why a write failed that may have landed. */
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

  function checkWrite(): void {
    if (left === 0) return;
    left -= 1;
    throw refusal;
  }
  function checkRead(): void {
    if (readsLeft === 0) return;
    readsLeft -= 1;
    throw AWAY;
  }

  return {
    store: {
      ...store,
      async append(plains) {
        checkWrite();
        return store.append(plains);
      },
      async change(changes) {
        checkWrite();
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
    refuseReads(times) {
      readsLeft = times;
    },
  };
}
