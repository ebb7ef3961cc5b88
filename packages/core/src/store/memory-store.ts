import { nameKey } from "../rules/head.ts";
import { ownerName } from "../rules/owner-name.ts";
import type { Store } from "./contract.ts";
import { MemoryRows } from "./memory-rows2.ts";
import { createNotifier } from "./notifier.ts";
import { closedSubscription } from "./polled-notifications.ts";
import { createSyncStore, type SyncNotifications } from "./sync-store.ts";

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
export function createMemoryStore({ now }: MemoryStoreOptions = {}): Store {
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
    notifications: createLocalNotifications(),
  });
}

/** Notifies of this store's own commits, which are all that there are. */
function createLocalNotifications(): SyncNotifications {
  const notifier = createNotifier();
  let isClosed = false;
  return {
    subscribe(name, onNotification) {
      if (isClosed) return closedSubscription();
      const key = "runId" in name ? nameKey(name) : ownerName(name.ownerId);
      const stop = notifier.add(key, () => onNotification(null));
      return { ready: Promise.resolve(), stop };
    },
    committed(runs) {
      for (const run of runs) {
        notifier.notify(nameKey(run));
        notifier.notify(ownerName(run.ownerId));
      }
    },
    close() {
      isClosed = true;
      notifier.clear();
    },
  };
}
