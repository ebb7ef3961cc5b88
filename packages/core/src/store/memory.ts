import type { RunEventStore } from "./store.ts";
import { MemoryRows } from "./memory-rows.ts";
import { createPolledNotifications } from "./polled-notifications.ts";
import { createSyncStore } from "./sync-store.ts";

/** Settings of {@link createMemoryStore}. */
export interface MemoryStoreOptions {
  /**
   * The store's clock, in milliseconds since 1970.
   * @defaultValue `Date.now`
   */
  readonly now?: () => number;
}

/**
 * Makes a store in memory. All data is in this process and is lost with it. Each call is one synchronous block, so no other call can come
 * between its checks and its writes.
 *
 * @example
 * const runs = createRunEvents({ store: createMemoryStore() });
 */
export function createMemoryStore({ now }: MemoryStoreOptions = {}): RunEventStore {
  // Looked up at each call, so that a test that sets the date also sets the store's clock.
  const rows = new MemoryRows(now ?? (() => Date.now()));
  return createSyncStore({
    capabilities: {
      durability: "memory",
      shared: false,
      joinsTransaction: false,
      losesAnswers: false,
      appendsAtOnce: 1,
      notifyWithinMs: 0,
      mostEvents: Number.MAX_SAFE_INTEGER,
      mostBytes: Number.MAX_SAFE_INTEGER,
    },
    transact: async (_mode, work) => work(rows),
    notifications: createPolledNotifications({ selectPositions: null, pollMs: 0 }),
  });
}
