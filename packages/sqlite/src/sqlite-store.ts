import type { AppendReceipt } from "@tm/run-events-core";
import {
  appendWork,
  createRowStore,
  type JoinedAppend,
  type MigratableStore,
  planJoinedAppend,
  receiptOf,
  type RunEventStore,
  type StoreCapabilities,
  type TransactionalStore,
  workNow,
} from "@tm/run-events-core/store";
import { Connection } from "./connection.ts";
import type { SqliteDatabase } from "./driver.ts";
import { createNotifications } from "./notifications.ts";
import { tablesOf } from "./tables.ts";

/** Settings of `createSqliteStore`. */
export interface SqliteStoreOptions {
  /** What the names of the store's tables begin with: an identifier. Default `run_events_`. */
  readonly tablePrefix?: string;
  /**
   * What an acknowledged append survives: power loss with `FULL`, only the crash of processes with `NORMAL`.
   * Default `FULL`. @see S6
   */
  readonly synchronous?: "FULL" | "NORMAL";
  /** How often to look for commits of other processes while somebody subscriptions, in milliseconds. Default 10. */
  readonly pollMs?: number;
}

/** A store on SQLite. */
export interface SqliteStore extends MigratableStore, TransactionalStore {
  /**
   * Appends inside the transaction that the caller has open on the handle: the events are there exactly if the caller
   * commits, and subscriptions notify after that. Synchronous. A refusal or failure leaves the transaction as it was, except
   * where SQLite itself ends it (a full disk). In a transaction that began without `IMMEDIATE` the write lock may be
   * refused: then `store_unavailable`, and the caller begins again.
   * @throws RunEventsError `not_found`, `run_finished`, `fenced`, `sequence_conflict`, `idempotency_key_reused`; as
   * `planEvents`; `store_unavailable`.
   * @throws TypeError without an open transaction, or before `migrate()` or `verify()` has been awaited once.
   */
  appendInTransaction(append: JoinedAppend): AppendReceipt;
  /**
   * As the contract says. The run's rows go in one synchronous transaction: while a very long run is deleted, other
   * writers and this process stand still.
   * @see S17
   */
  deleteRun: RunEventStore["deleteRun"];
  /**
   * As the contract says. A call ends with the run that reaches 2,000 events, since other writers and this process stand still
   * while it lasts.
   * @see S24
   */
  purge: RunEventStore["purge"];
  /**
   * The size of the `-wal` file beside the database in bytes, `null` without one. It grows while any connection of any process
   * keeps a read transaction open, and shrinks to 64 MiB at most some commits after that has ended.
   */
  walBytes(): number | null;
}

/**
 * A purge ends with the run that reaches so many events. One transaction removes them, and appends and this process have to wait
 * for it.
 */
const PURGE_EVENTS = 2_000;

/** How late a look and its queries may be, in milliseconds, when many thousand runs are watched. */
const LOOK_GRACE_MS = 500;

/**
 * A store in a SQLite file that several processes of one machine may share, on the caller's handle: better-sqlite3's
 * `Database` or node:sqlite's `DatabaseSync`. Give each handle to one store; call `migrate()` once before the first use.
 *
 * The first call sets the handle up: `journal_mode=WAL`, `synchronous`, `foreign_keys=ON` and a `busy_timeout` of a few
 * milliseconds, since SQLite's own waiting would stop the event loop; the store waits for locks without stopping it, 10 s
 * at most. Calls that come while the caller has a transaction open on the handle wait until it has ended; with
 * better-sqlite3 the caller must not keep an iterator open across an `await`. A file needs SQLite 3.51.3 (or 3.50.7,
 * 3.44.6) and a local disk.
 *
 * An I/O error at a commit, and only that, leaves open whether the appends landed: their error is `ambiguous`.
 *
 * @throws TypeError for a bad option. @throws RunEventsError `store_unavailable` if the handle is closed.
 * @example
 * const store = createSqliteStore(new Database("run-events.db"));
 * await store.migrate();
 * const runs = createRunEvents({ store });
 */
export function createSqliteStore(
  db: SqliteDatabase,
  options: SqliteStoreOptions = {},
): SqliteStore {
  const { tablePrefix, synchronous, pollMs } = checkOptions(options);
  const connection = new Connection(db, tablesOf(tablePrefix), synchronous);
  const notifications = createNotifications(db, connection, pollMs);
  const store = createRowStore({
    capabilities: capabilitiesOf(connection.inFile, synchronous, pollMs),
    transact(mode, work) {
      if (mode === "write") return connection.write((open) => workNow(work, open));
      if (mode === "plain") return connection.perform((open) => workNow(work, open));
      return connection.perform((open) => open.read(() => workNow(work, open)));
    },
    notifications,
    mostPurgedEvents: PURGE_EVENTS,
  });

  return {
    ...store,
    migrate: () => connection.migrate(),
    verify: () => connection.verify(),
    walBytes: () => connection.walBytes(),
    appendInTransaction(append) {
      const request = planJoinedAppend(append);
      const work = appendWork([request]);
      const { outcomes, moved } = connection.join((open) => open.nested(() => workNow(work, open)));
      notifications.joined(moved);
      return receiptOf(outcomes[0] ?? { outcome: "not_found" }, request);
    },
    close() {
      // Calls that wait for a lock give up.
      connection.close();
      return store.close();
    },
  };
}

/** @throws TypeError for a bad option */
function checkOptions(options: SqliteStoreOptions): Required<SqliteStoreOptions> {
  const { tablePrefix = "run_events_", synchronous = "FULL", pollMs = 10 } = options;
  if (synchronous !== "FULL" && synchronous !== "NORMAL") {
    throw new TypeError(
      `Expected \`synchronous\` to be FULL or NORMAL, got \`${String(synchronous)}\`.`,
    );
  }
  if (!(Number.isFinite(pollMs) && pollMs > 0)) {
    throw new TypeError(`Expected \`pollMs\` to be a positive number, got \`${pollMs}\`.`);
  }
  return { tablePrefix, synchronous, pollMs };
}

function capabilitiesOf(
  inFile: boolean,
  synchronous: "FULL" | "NORMAL",
  pollMs: number,
): StoreCapabilities {
  return {
    durability: inFile ? (synchronous === "FULL" ? "power" : "process") : "memory",
    shared: inFile,
    joinsTransaction: true,
    losesAcknowledgements: false,
    appendsAtOnce: 1,
    notifyWithinMs: pollMs + LOOK_GRACE_MS,
  };
}
