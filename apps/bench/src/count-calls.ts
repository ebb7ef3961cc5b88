import type { RunEventStore } from "@tm/run-events-core/store";

/** How often a store has been called: a call has as many appends or reads in it as met. */
export interface StoreCalls {
  readonly commits: number;
  /** Those of them in which appends met. */
  readonly sharedCommits: number;
  readonly reads: number;
}

/** The same store, and how often it has been called so far to append and to read. */
export function countCalls(store: RunEventStore): {
  readonly store: RunEventStore;
  calls(): StoreCalls;
} {
  let commits = 0;
  let sharedCommits = 0;
  let reads = 0;
  return {
    store: {
      ...store,
      append(requests) {
        commits += 1;
        if (requests.length > 1) sharedCommits += 1;
        return store.append(requests);
      },
      read(queries) {
        reads += 1;
        return store.read(queries);
      },
    },
    calls: () => ({ commits, sharedCommits, reads }),
  };
}
