import type { AppendReceipt } from "@tm/run-events-core";
import {
  changeRun,
  createSyncStore,
  type JoinedAppend,
  type MigratableStore,
  planJoinedAppend,
  type RunEventStore,
} from "@tm/run-events-core/store";
import { Connection } from "./connection.ts";
import type { SqliteDatabase, SqliteObjectStorage } from "./driver.ts";
import { createNotifications, POLL_MS } from "./notifications.ts";
import { isObjectStorage, ObjectDatabase } from "./object-database.ts";
import { EVENTS_AT_ONCE } from "./sql/remains.ts";
import { tablesOf } from "./tables.ts";

/** Settings of {@link createSqliteStore}. */
export interface SqliteStoreOptions {
  /**
   * The start of the names of the store's tables: an identifier.
   * @defaultValue `run_events_`
   */
  readonly tablePrefix?: string;
  /**
   * The failure that an acknowledged append survives: power loss with `FULL`, only the crash of processes with `NORMAL`. In a Durable Object, `FULL`
   * waits for `ctx.storage.sync()`.
   * @defaultValue `FULL`
   * @see clause S6 in `STORE.md` of `@tm/run-events-core`
   */
  readonly synchronous?: "FULL" | "NORMAL";
}

/** A store on SQLite. */
export interface SqliteStore extends MigratableStore {
  /**
   * Appends inside the transaction that the caller has open on the handle. The events exist exactly if the caller commits, and
   * subscriptions are notified after that. The call is synchronous, so it is neither queued behind other calls nor combined with
   * them. A refusal or failure leaves the transaction as it was, unless SQLite ends it (a full disk). If the transaction began
   * without `IMMEDIATE`, SQLite may refuse the write lock: the call throws `store_unavailable`, and the caller begins again.
   * @throws RunEventsError `not_found`, `run_finished`, `fenced`, `sequence_conflict`, `idempotency_key_reused`,
   * `invalid_request`, `invalid_event`, `payload_too_large`, `store_unavailable`
   * @throws TypeError without an open transaction, or before `migrate()` or `verify()` was awaited once
   */
  appendInTransaction(append: JoinedAppend): AppendReceipt;
  /**
   * Runs synchronous work in a write transaction on the handle, for {@link SqliteStore.appendInTransaction} and rows of yours. Within a
   * transaction of yours it uses a savepoint. If the work throws, it is undone, and the error is thrown. If another connection has the
   * lock, the call throws a `retryable` error, and the caller begins again. In a Durable Object, only this call begins a transaction
   * that appends can join.
   * @returns the value that the work returns
   * @throws RunEventsError `store_unavailable`
   * @throws TypeError before `migrate()` or `verify()` was awaited once, or if the work returns a promise
   */
  transact<T>(work: () => T): T;
}

/** The greatest delay of a poll and its queries, with many thousand subscribed runs, in milliseconds. */
const POLL_GRACE_MS = 500;

/** The number of runs that a purge removes in one transaction: that takes about a millisecond. */
const RUNS_AT_ONCE = 10;

/**
 * Creates a store in a SQLite file, on the caller's handle. Several processes of one machine may share the file. The handle is
 * better-sqlite3's `Database`, node:sqlite's `DatabaseSync` or bun:sqlite's `Database`. In a Durable Object, it is `ctx.storage`. Give each
 * handle to one store, and call `migrate()` once before the first use.
 *
 * The first call sets the handle up: `journal_mode=WAL`, `synchronous`, `foreign_keys=ON` and a `busy_timeout` of a few
 * milliseconds. The store then waits for locks without blocking the event loop, 10 s at most. While the caller has a
 * transaction open on the handle, the store's calls wait until it has ended. With better-sqlite3, do not keep an iterator open
 * across an `await`. A file needs SQLite 3.51.3 (or 3.50.7, 3.44.6) and a local disk.
 *
 * Only an I/O error at a commit leaves the appends in doubt: their error is `ambiguous`.
 *
 * @throws TypeError for a bad option, or for a value that cannot be a handle
 * @throws RunEventsError `store_unavailable` if the handle is closed
 * @example
 * const store = createSqliteStore(new Database("run-events.db"));
 * await store.migrate();
 * const runs = createRunEvents({ store });
 */
export function createSqliteStore(
  handle: SqliteDatabase | SqliteObjectStorage,
  { tablePrefix = "run_events_", synchronous = "FULL" }: SqliteStoreOptions = {},
): SqliteStore {
  if (synchronous !== "FULL" && synchronous !== "NORMAL") {
    throw new TypeError(
      `Expected \`synchronous\` to be FULL or NORMAL, got \`${String(synchronous)}\`.`,
    );
  }
  const db = isObjectStorage(handle) ? new ObjectDatabase(handle) : handle;
  const connection = new Connection(db, tablesOf(tablePrefix), synchronous);
  const notifications = createNotifications(db, connection);
  const store = createSyncStore({
    capabilities: capabilitiesOf(connection, synchronous),
    transact: (mode, work) =>
      mode === "write"
        ? connection.write(work)
        : connection.perform((open) => open.read(() => work(open))),
    notifications,
    mostRemoved: { runs: RUNS_AT_ONCE, events: EVENTS_AT_ONCE },
  });

  return {
    ...store,
    async change(changes) {
      const answers = await store.change(changes);
      // Long runs that were removed are gone for all callers, but not their events yet.
      connection.clearRemains();
      return answers;
    },
    migrate: () => connection.migrate(),
    verify: () => connection.verify(),
    transact: (work) => connection.transact(work),
    appendInTransaction(append) {
      const { change, receiptOf } = planJoinedAppend(append);
      const { answer, committed } = connection.join((open) =>
        open.nested(() => changeRun(open, change)),
      );
      if (committed !== null) notifications.joined([committed]);
      return receiptOf(answer);
    },
    async close() {
      // The connection first, so that calls that wait for a lock give up.
      await Promise.all([connection.close(), store.close()]);
    },
  };
}

function capabilitiesOf(
  { inFile, inObject }: Connection,
  synchronous: "FULL" | "NORMAL",
): RunEventStore["capabilities"] {
  return {
    durability: inFile || inObject ? (synchronous === "FULL" ? "power" : "process") : "memory",
    shared: inFile,
    joinsTransaction: true,
    losesAnswers: false,
    appendsAtOnce: 1,
    notifyWithinMs: POLL_MS + POLL_GRACE_MS,
    mostEvents: Number.MAX_SAFE_INTEGER,
    mostBytes: Number.MAX_SAFE_INTEGER,
  };
}
