import { setTimeout as sleep } from "node:timers/promises";
import { RunEventsError, storeClosed } from "@tm/run-events-core";
import { isInTransaction, prepareStatement, type SqliteDatabase } from "./driver.ts";
import { isBusy, storeFailure } from "./failure.ts";
import { migrateSchema, verifySchema } from "./schema.ts";
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
  migrate(): Promise<void>;
  verify(): Promise<void>;
  /** Refuses all further work. The handle stays open: it is the caller's. */
  close(): void;
}

/**
 * Wraps a handle.
 * @throws TypeError for a handle that does not tell of transactions, as node:sqlite's did before Node 22.16.
 * @throws RunEventsError `store_unavailable` if the handle is closed.
 */
export function createConnection(
  db: SqliteDatabase,
  tables: Tables,
  synchronous: "FULL" | "NORMAL",
): Connection {
  if (!("inTransaction" in db) && !("isTransaction" in db)) {
    throw new TypeError("Expected a handle that tells whether a transaction is open on it.");
  }
  const inFile = isInFile(db);
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
    return opened;
  }

  async function patiently<T>(work: () => T, calledAt = performance.now()): Promise<T> {
    for (let tries = 0; ; tries++) {
      if (closed) throw storeClosed();
      let busy: RunEventsError;
      try {
        if (!isInTransaction(db)) return work();
        busy = new RunEventsError("store_unavailable", "The handle's own transaction goes on.");
      } catch (error) {
        if (!isBusy(error)) throw storeFailure(error);
        busy = storeFailure(error);
      }
      if (performance.now() - calledAt > PATIENCE_MS) throw busy;
      // At random, so that processes that wait for each other do not meet again.
      await sleep(1 + Math.random() * Math.min(MAX_PAUSE_MS, 2 ** tries));
    }
  }

  return {
    inFile,
    perform: (work) => patiently(() => work(open())),
    write(work) {
      const calledAt = performance.now();
      const attempt = (): ReturnType<typeof work> => {
        const sql = open();
        return sql.write(() => work(sql));
      };
      const written = lastWrite.then(() => patiently(attempt, calledAt));
      // Whoever called learns of a failure; it is nothing to the next in line.
      lastWrite = written.catch(() => {});
      return written;
    },
    join(work) {
      if (closed) throw storeClosed();
      if (!isInTransaction(db)) throw new TypeError("Expected a transaction to be open.");
      if (opened === null) {
        throw new TypeError("Expected `migrate()` or `verify()` to have been awaited before.");
      }
      try {
        return work(opened);
      } catch (error) {
        throw storeFailure(error);
      }
    },
    migrate: () =>
      patiently(() => {
        migrateSchema(db, tables, configure());
        open();
      }),
    verify: () =>
      patiently(() => {
        configure();
        verifySchema(db, tables);
        open();
      }),
    close() {
      closed = true;
    },
  };
}

/** Asks the handle alone: what the file is like shows in the first call. */
function isInFile(db: SqliteDatabase): boolean {
  try {
    const databases = prepareStatement(db, "PRAGMA database_list").all() as {
      readonly name: string;
      readonly file: string | null;
    }[];
    return databases.some(({ name, file }) => name === "main" && file !== null && file !== "");
  } catch (error) {
    throw storeFailure(error);
  }
}

function useWal(db: SqliteDatabase): void {
  const { version } = prepareStatement(db, "SELECT sqlite_version() AS version").get() as {
    readonly version: string;
  };
  if (!isWalSafe(version)) {
    throw new RunEventsError(
      "store_unavailable",
      `SQLite ${version} can damage a database that several connections use: update the driver.`,
      { retryable: false },
    );
  }
  const { journal_mode: mode } = prepareStatement(db, "PRAGMA journal_mode = WAL").get() as {
    readonly journal_mode: string;
  };
  if (mode !== "wal") {
    throw new RunEventsError("store_unavailable", "The database file cannot use a WAL.", {
      retryable: false,
    });
  }
}
