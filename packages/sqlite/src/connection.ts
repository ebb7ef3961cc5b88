import { RunEventsError } from "@tm/run-events-core";
import { planBackoff, storeClosed } from "@tm/run-events-core/store";
import { checkHandle, checkSynchronous } from "./check-handle.ts";
import { isClosed, isInTransaction, prepareStatement } from "./handle.ts";
import type { SqliteDatabase } from "./driver.ts";
import { databaseClosed, isBusy, storeFailure } from "./failure.ts";
import { FileGuard, type GuardedHandle } from "./file-guard.ts";
import { migrateSchema, verifySchema } from "./schema.ts";
import { isWalSafe } from "./sqlite-version.ts";
import { prepareStatements, type Statements } from "./statements.ts";
import type { Tables } from "./tables.ts";
import { createTransactions, type Transactions } from "./transactions.ts";

/** How long SQLite itself waits for a lock, in milliseconds: meanwhile the event loop is blocked. */
const BUSY_TIMEOUT_MS = 5;
/** How long a call tries in all, in milliseconds. */
const PATIENCE_MS = 10_000;
/** The pauses between two tries: fully random, so that waiting processes do not try again at the same time. */
const BACKOFF = { firstMs: 1, mostMs: 25, jitter: 1 };
/** The most bytes that the `-wal` keeps once its content is in the database. A long reader makes it grow without bound. */
const MOST_WAL_BYTES = 67_108_864;

/** The transactions and statements that a call works with. */
export interface OpenConnection extends Transactions, Statements {}

/**
 * The caller's handle, set up on first use. It waits for other processes that use its file. The caller keeps the handle: `close` only
 * refuses further work.
 */
export class Connection {
  /** Whether the data is in a file, where other processes can reach it. */
  readonly inFile: boolean;
  readonly #db: SqliteDatabase;
  readonly #tables: Tables;
  readonly #synchronous: "FULL" | "NORMAL";
  readonly #guard: FileGuard;
  readonly #guarded: GuardedHandle;
  #transactions: Transactions | null = null;
  #opened: OpenConnection | null = null;
  #isClosed = false;
  #lastWrite: Promise<unknown> = Promise.resolve();

  /**
   * @throws TypeError as `checkHandle`
   * @throws RunEventsError `store_unavailable` if the handle is closed
   */
  constructor(db: SqliteDatabase, tables: Tables, synchronous: "FULL" | "NORMAL") {
    checkHandle(db);
    const path = pathOf(db);
    this.inFile = path !== null;
    this.#db = db;
    this.#tables = tables;
    this.#synchronous = synchronous;
    this.#guard = new FileGuard(path);
    this.#guarded = {
      isWal: () => journalMode(db, "PRAGMA journal_mode") === "wal",
      read: () => void prepareStatement(db, "SELECT 1 FROM sqlite_schema LIMIT 1").get(),
    };
  }

  /**
   * Runs the synchronous work when the caller has no transaction open on the handle: otherwise the caller could undo what was
   * acknowledged. While another connection has the lock, it tries again after a pause that leaves the event loop free. Work that
   * failed must have changed nothing.
   * @throws RunEventsError `store_unavailable` for what the driver threw, or after 10 s without the lock
   * @see clause S20 in `STORE.md`
   */
  perform<T>(work: (open: OpenConnection) => T): Promise<T> {
    return this.#patiently(() => {
      this.#guard.check(this.#guarded);
      return work(this.#open());
    });
  }

  /**
   * Runs the work like `perform`, in a write transaction. Writes wait in the order of their calls, and only one at a time tries for
   * the lock. So many waiting writes cost the event loop no more than one.
   */
  write<T>(work: (open: OpenConnection) => T): Promise<T> {
    const calledAt = performance.now();
    const attempt = (): T => {
      this.#guard.check(this.#guarded);
      const open = this.#open();
      return open.write(() => work(open));
    };
    const written = this.#lastWrite.then(() => this.#patiently(attempt, calledAt));
    // The caller gets the failure; it does not affect the next call.
    this.#lastWrite = written.catch(() => {});
    return written;
  }

  /**
   * Runs the work in the caller's open transaction, now or not at all.
   * @throws RunEventsError as `perform`
   * @throws TypeError without an open transaction, or before the store was set up
   */
  join<T>(work: (open: OpenConnection) => T): T {
    if (this.#isClosed) throw storeClosed();
    if (isClosed(this.#db)) throw databaseClosed();
    if (!isInTransaction(this.#db)) {
      throw new TypeError("Expected an open transaction on the handle, got none: begin one first.");
    }
    if (this.#opened === null) {
      throw new TypeError(
        "Expected a store that is set up: await `migrate()` or `verify()` once before.",
      );
    }
    try {
      this.#guard.check(this.#guarded);
      return work(this.#opened);
    } catch (error) {
      throw this.#failureOf(error);
    }
  }

  migrate(): Promise<void> {
    return this.#patiently(() => {
      this.#guard.check(this.#guarded);
      migrateSchema(this.#db, this.#tables, this.#configure());
      this.#open();
    });
  }

  verify(): Promise<void> {
    return this.#patiently(() => {
      this.#guard.check(this.#guarded);
      this.#configure();
      verifySchema(this.#db, this.#tables);
      this.#open();
    });
  }

  /** The size of the `-wal` file in bytes, or `null` without one. */
  walBytes(): number | null {
    return this.#guard.walBytes();
  }

  /** Refuses all later work. */
  close(): void {
    this.#isClosed = true;
  }

  #configure(): Transactions {
    if (this.#transactions !== null) return this.#transactions;
    this.#db.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
    if (this.inFile) useWal(this.#db);
    // Always set, since some builds turn a default FULL into NORMAL with the first write to a WAL.
    this.#db.exec(`PRAGMA synchronous = ${this.#synchronous}; PRAGMA foreign_keys = ON`);
    this.#transactions = createTransactions(this.#db);
    return this.#transactions;
  }

  #open(): OpenConnection {
    if (this.#opened !== null) return this.#opened;
    const configured = this.#configure();
    verifySchema(this.#db, this.#tables);
    this.#opened = { ...configured, ...prepareStatements(this.#db, this.#tables) };
    this.#guard.noteLog();
    return this.#opened;
  }

  /** The failure of a call, as a `RunEventsError`. */
  #failureOf(error: unknown): RunEventsError {
    return isClosed(this.#db) ? databaseClosed(error) : storeFailure(error);
  }

  async #patiently<T>(work: () => T, calledAt = performance.now()): Promise<T> {
    for (let tries = 1; ; tries++) {
      if (this.#isClosed) throw storeClosed();
      let busy: RunEventsError;
      try {
        if (!isInTransaction(this.#db)) return work();
        busy = new RunEventsError(
          "store_unavailable",
          "The call has waited 10 s, but a transaction is still open on the store's handle: end it, or use a second handle for it.",
        );
      } catch (error) {
        if (!isBusy(error)) throw this.#failureOf(error);
        busy = storeFailure(error);
      }
      if (performance.now() - calledAt > PATIENCE_MS) throw busy;
      await sleep(1 + planBackoff(BACKOFF, tries, Math.random()));
    }
  }
}

/** The pause between two tries for a lock. Not from `node:timers`, which other runtimes lack. */
function sleep(forMs: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, forMs);
  });
}

/** The database's file as SQLite names it, or `null` without a file. Whether the file is usable shows at the store's first call. */
function pathOf(db: SqliteDatabase): string | null {
  try {
    const databases = prepareStatement(db, "PRAGMA database_list").all() as {
      readonly name: string;
      readonly file: string | null;
    }[];
    checkSynchronous(databases);
    const main = databases.find(({ name }) => name === "main");
    // A database in memory or in a temporary file has an empty name.
    return main?.file || null;
  } catch (error) {
    if (error instanceof TypeError && !isClosed(db)) throw error;
    throw isClosed(db) ? databaseClosed(error) : storeFailure(error);
  }
}

function journalMode(db: SqliteDatabase, pragma: string): string {
  const row = prepareStatement(db, pragma).get() as { readonly journal_mode: string };
  return row.journal_mode;
}

function useWal(db: SqliteDatabase): void {
  const { version } = prepareStatement(db, "SELECT sqlite_version() AS version").get() as {
    readonly version: string;
  };
  if (!isWalSafe(version)) {
    throw new RunEventsError(
      "store_unavailable",
      `Expected SQLite 3.51.3 or newer, got ${version}, which can damage a database that several connections use. Update better-sqlite3 to 12.8 or newer, or with node:sqlite Node to 22.23, 24.15 or newer.`,
      { retryable: false },
    );
  }
  if (journalMode(db, "PRAGMA journal_mode = WAL") !== "wal") {
    throw new RunEventsError(
      "store_unavailable",
      "Expected a database file that can use a WAL, but SQLite refused it: use a local disk.",
      { retryable: false },
    );
  }
  db.exec(`PRAGMA journal_size_limit = ${MOST_WAL_BYTES}`);
}
