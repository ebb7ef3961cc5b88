import { createCalls } from "./calls.ts";
import { type Decided, decideChanges } from "./decide-changes.ts";
import type { Change, RunEventStore, StoreCapabilities } from "./store.ts";
import type { Notifications } from "./polled-notifications.ts";
import type { SyncRows } from "./sync-rows.ts";
import { appendPlains, changeRun, type Committed, readRuns } from "./sync-work.ts";

/**
 * The isolation of a transaction. `read`: all reads see one instant. `write`: all writes commit together, and no other writer comes in
 * between.
 */
type TransactionMode = "read" | "write";

/** Settings of {@link createSyncStore}. */
export interface SyncStoreOptions {
  readonly capabilities: StoreCapabilities;
  /** Runs synchronous work in one transaction. If the work throws, it is rolled back. */
  readonly transact: <T>(mode: TransactionMode, work: (rows: SyncRows) => T) => Promise<T>;
  /** The store closes it. */
  readonly notifications: Notifications;
  /**
   * A transaction ends with the removal that reaches this many runs, or events, since other writers wait for it.
   * @defaultValue no limit
   */
  readonly mostRemoved?: { readonly runs: number; readonly events: number };
}

/** Makes a store over the rows of a synchronous database: it sees, core decides, and it writes, all in one transaction. */
export function createSyncStore(options: SyncStoreOptions): RunEventStore {
  const { capabilities, transact, notifications } = options;
  const { mostRemoved = { runs: Infinity, events: Infinity } } = options;
  const calls = createCalls();

  /** Changes the first runs of these, one at least, in one transaction. */
  async function changeFirst(changes: readonly Change<unknown>[]): Promise<Decided> {
    const { decided, committed } = await transact("write", (rows) => {
      const answers = new Map<Change<unknown>, unknown>();
      const moved: Committed[] = [];
      const removed = { runs: 0, events: 0 };
      for (const change of changes) {
        if (removed.runs >= mostRemoved.runs || removed.events >= mostRemoved.events) break;
        const changed = changeRun(rows, change);
        answers.set(change, changed.answer);
        if (changed.committed !== null) moved.push(changed.committed);
        if (changed.removedEvents === null) continue;
        removed.runs += 1;
        removed.events += changed.removedEvents;
      }
      return { decided: answers, committed: moved };
    });
    notifications.committed(committed);
    return decided;
  }

  return {
    capabilities,
    append: (plains) =>
      calls.run(async () => {
        const { answers, committed } = await transact("write", (rows) =>
          appendPlains(rows, plains),
        );
        notifications.committed(committed);
        return answers;
      }),
    change: (changes) => calls.run(() => decideChanges(changes, changeFirst)),
    read: (queries) => calls.run(() => transact("read", (rows) => readRuns(rows, queries))),
    list: (query) =>
      calls.run(() =>
        transact("read", (rows) =>
          "due" in query
            ? rows.selectDue(query.due, rows.now() - query.forMs, query.limit)
            : rows.selectOwned(query),
        ),
      ),
    probe: () =>
      calls.run(() =>
        transact("write", (rows) => {
          rows.writeProbe();
          return rows.now();
        }),
      ),
    subscribe: (name, onNotification) => notifications.subscribe(name, onNotification),
    close() {
      notifications.close();
      return calls.close();
    },
  };
}
