import { createCalls } from "./calls.ts";
import type { Change, RunEventStore, StoreCapabilities } from "./store.ts";
import type { Notifications } from "./polled-notifications.ts";
import type { SyncRows } from "./sync-rows.ts";
import { appendPlains, changeRun, type Committed, readRuns, type Worked } from "./sync-work.ts";
import { inDoubt } from "../rules/errors.ts";

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
  function changeFirst<Answer>(rows: SyncRows, changes: readonly Change<Answer>[]): Worked<Answer> {
    const answers: Answer[] = [];
    const committed: Committed[] = [];
    const removed = { runs: 0, events: 0 };
    for (const change of changes) {
      if (removed.runs >= mostRemoved.runs || removed.events >= mostRemoved.events) break;
      const changed = changeRun(rows, change);
      answers.push(changed.answer);
      if (changed.committed !== null) committed.push(changed.committed);
      if (changed.removedEvents === null) continue;
      removed.runs += 1;
      removed.events += changed.removedEvents;
    }
    return { answers, committed };
  }

  async function changeAll<Answer>(changes: readonly Change<Answer>[]): Promise<readonly Answer[]> {
    const answers: Answer[] = [];
    while (answers.length < changes.length) {
      const left = changes.slice(answers.length);
      const done = await transact("write", (rows) => changeFirst(rows, left)).catch(
        (error: unknown) => {
          // The transactions before have landed, so the whole call is in doubt.
          throw answers.length === 0 ? error : inDoubt(error);
        },
      );
      notifications.committed(done.committed);
      answers.push(...done.answers);
    }
    return answers;
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
    change: (changes) => calls.run(() => changeAll(changes)),
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
