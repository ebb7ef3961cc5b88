import { MemoryRows } from "./memory-rows.ts";
import { createPolledNotifications } from "./polled-notifications.ts";
import { workNow } from "./row-moves.ts";
import { createRowStore } from "./row-store.ts";
import type { RunEventStore } from "./store.ts";

/** Settings of {@link createMemoryStore}. */
export interface MemoryStoreOptions {
  /**
   * The store's clock, in milliseconds since 1970.
   * @defaultValue `Date.now`
   */
  readonly now?: () => number;
}

/**
 * Makes the reference store. All data is in this process and is lost with it. It is the smallest row store: each call is one
 * synchronous block, so no other call can come between its checks and its writes.
 *
 * @example
 * const runs = createRunEvents({ store: createMemoryStore() });
 */
export function createMemoryStore(options: MemoryStoreOptions = {}): RunEventStore {
  // Looked up at each call, so that a test that sets the date also sets the store's clock.
  const rows = new MemoryRows(options.now ?? (() => Date.now()));
  return createRowStore({
    capabilities: {
      durability: "memory",
      shared: false,
      joinsTransaction: false,
      losesAcknowledgements: false,
      appendsAtOnce: 1,
      notifyWithinMs: 0,
    },
    transact: async (_mode, work) => workNow(work, rows),
    notifications: createPolledNotifications({ selectPositions: null, pollMs: 0 }),
    mostPurgedEvents: Number.MAX_SAFE_INTEGER,
  });
}
