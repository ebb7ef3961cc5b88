import { RunEventsError } from "@tm/run-events-core";
import { storeClosed } from "@tm/run-events-core/store";
import { checkHandle, checkSynchronous } from "./check-handle.ts";
import { isClosed, isInTransaction, prepareStatement, type SqliteDatabase } from "./driver.ts";
import { databaseClosed, isBusy, storeFailure } from "./failure.ts";
import { createFileGuard, type GuardedHandle } from "./file-guard.ts";
import { checkObjects, migrateSchema, verifySchema } from "./schema.ts";
import { isWalSafe } from "./sqlite-version.ts";
import { prepareStatements, type Statements } from "./statements.ts";
import type { Tables } from "./tables.ts";
import { createTransactions, type Transactions } from "./transactions.ts";

/** How long SQLite itself waits for a lock, in milliseconds: the event loop stands still meanwhile. */
const BUSY_TIMEOUT_MS = 5;
/** How long a call tries in all. */
const PATIENCE_MS = 10_000;
/** The longest pause between two tries. */
const MAX_PAUSE_MS = 25;
/** The size of the `-wal` after its content is in the database: a long reader makes it grow without bound. */
const MOST_WAL_BYTES = 67_108_864;

/** What one try works with. */
interface OpenConnection extends Transactions, Statements {}

/** The caller's handle, set up on first use, and the patience to share its file with other processes. */
export interface Connection {
  /** Whether the data lives in a file, where other processes can reach it. */
  readonly inFile: boolean;
  /**
   * Runs the synchronous work once no transaction of the caller's is open on the handle, so that nothing is acknowledged
   * that the caller could still take back; again, after a pause that leaves the event loop free, while another connection
   * holds the lock. Work that failed must have changed nothing.
   * @throws RunEventsError `store_unavailable` for what the driver threw, or when the patience is at its end.
   * @see S20
   */
  perform<T>(work: (open: OpenConnection) => T): Promise<T>;
  /**
   * As `perform`, in a write transaction. Writes wait in the order of their calls and one of them at a time tries for the
   * lock, so that many that wait cost the event loop no more than one.
   */
  write<T>(work: (open: OpenConnection) => T): Promise<T>;
  /** Runs the work in the caller's open transaction, now or not at all. @throws as `perform`; TypeError without one. */
  join<T>(work: (open: OpenConnection) => T): T;
  /** Writes as an append does, and leaves nothing. @returns what the clock says, in milliseconds since 1970. @see S31 */
  probe(): Promise<number>;
  migrate(): Promise<void>;
  verify(): Promise<void>;
  /** The size of the log beside the file in bytes, `null` if there is none. */
  walBytes(): number | null;
  /** Refuses all further work. The handle stays open: it is the caller's. */
  close(): void;
}

/**
 * Wraps a handle.
 * @throws TypeError as `checkHandle`
 * @throws RunEventsError `store_unavailable` if the handle is closed.
 */
export function createConnection(
  db: SqliteDatabase,
  tables: Tables,
  synchronous: "FULL" | "NORMAL",
): Connection {
  checkHandle(db);
  const path = pathOf(db);
  const inFile = path !== null;
  const guard = createFileGuard(path);
  const guarded: GuardedHandle = {
    isWal: () => journalMode(db, "PRAGMA journal_mode") === "wal",
    read: () => void prepareStatement(db, "SELECT 1 FROM sqlite_schema LIMIT 1").get(),
  };
  let transactions: Transactions | null = null;
  let opened: OpenConnection | null = null;
  let closed = false;
  let lastWrite: Promise<unknown> = Promise.resolve();

  function configure(): Transactions {
    if (transactions !== null) return transactions;
    db.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
    if (inFile) useWal(db);
    // Said outright: some builds turn an unsaid FULL into NORMAL with the first write to a WAL.
    db.exec(`PRAGMA synchronous = ${synchronous}; PRAGMA foreign_keys = ON`);
    transactions = createTransactions(db);
    return transactions;
  }

  function open(): OpenConnection {
    if (opened !== null) return opened;
    const configured = configure();
    verifySchema(db, tables);
    opened = { ...configured, ...prepareStatements(db, tables) };
    guard.noteLog();
    return opened;
  }

  /** The failure of a call, in this package's words. */
  function failureOf(error: unknown): RunEventsError {
    return isClosed(db) ? databaseClosed(error) : storeFailure(error);
  }

  async function patiently<T>(work: () => T, calledAt = performance.now()): Promise<T> {
    for (let tries = 0; ; tries++) {
      if (closed) throw storeClosed();
      let busy: RunEventsError;
      try {
        if (!isInTransaction(db)) return work();
        busy = new RunEventsError("store_unavailable", "The handle's own transaction goes on.");
      } catch (error) {
        if (!isBusy(error)) throw failureOf(error);
        busy = storeFailure(error);
      }
      if (performance.now() - calledAt > PATIENCE_MS) throw busy;
      // At random, so that processes that wait for each other do not meet again.
      await sleep(1 + Math.random() * Math.min(MAX_PAUSE_MS, 2 ** tries));
    }
  }

  function write<T>(work: (sql: OpenConnection) => T): Promise<T> {
    const calledAt = performance.now();
    const attempt = (): T => {
      guard.check(guarded);
      const sql = open();
      return sql.write(() => work(sql));
    };
    const written = lastWrite.then(() => patiently(attempt, calledAt));
    // The caller gets the failure; it does not affect the next call.
    lastWrite = written.catch(() => {});
    return written;
  }

  return {
    inFile,
    perform: (work) =>
      patiently(() => {
        guard.check(guarded);
        return work(open());
      }),
    write,
    probe: () =>
      write((sql) => {
        checkObjects(db, tables);
        sql.insertProbe.run();
        sql.deleteProbes.run();
        return Date.now();
      }),
    join(work) {
      if (closed) throw storeClosed();
      if (isClosed(db)) throw databaseClosed();
      if (!isInTransaction(db)) throw new TypeError("Expected a transaction to be open.");
      if (opened === null) {
        throw new TypeError("Expected `migrate()` or `verify()` to have been awaited before.");
      }
      try {
        guard.check(guarded);
        return work(opened);
      } catch (error) {
        throw failureOf(error);
      }
    },
    migrate: () =>
      patiently(() => {
        guard.check(guarded);
        migrateSchema(db, tables, configure());
        open();
      }),
    verify: () =>
      patiently(() => {
        guard.check(guarded);
        configure();
        verifySchema(db, tables);
        open();
      }),
    walBytes: () => guard.walBytes(),
    close() {
      closed = true;
    },
  };
}

/** The pause between two tries for a lock, which the patience of the caller bounds. Not from `node:timers`: other runtimes lack it. */
function sleep(forMs: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, forMs);
  });
}

/** The database's file as SQLite names it; `null` without a file. The first call shows whether the file is usable. */
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
    throw new RunEventsError("store_unavailable", "The database file cannot use a WAL.", {
      retryable: false,
    });
  }
  db.exec(`PRAGMA journal_size_limit = ${MOST_WAL_BYTES}`);
}
