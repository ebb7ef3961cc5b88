import { RunEventsError } from "@tm/run-events-core";
import type { SqliteDatabase } from "./driver.ts";
import { databaseClosed, storeFailure } from "./failure.ts";
import { isClosed, prepareStatement } from "./handle.ts";
import { isWalSafe } from "./sqlite-version.ts";

/** The time that SQLite itself waits for a lock, in milliseconds: meanwhile the event loop is blocked. */
const BUSY_TIMEOUT_MS = 5;
/** The most bytes that the `-wal` keeps once its content is in the database. A long reader makes it grow without bound. */
const MOST_WAL_BYTES = 67_108_864;

/** Gives the caller's handle the settings that the store needs. */
export function setUpHandle(
  db: SqliteDatabase,
  inFile: boolean,
  synchronous: "FULL" | "NORMAL",
): void {
  db.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
  if (inFile) useWal(db);
  // Always set, since some builds turn a default FULL into NORMAL with the first write to a WAL.
  db.exec(`PRAGMA synchronous = ${synchronous}; PRAGMA foreign_keys = ON`);
}

/** The database's file as SQLite names it, or `null` without a file. Whether the file is usable shows at the store's first call. */
export function pathOf(db: SqliteDatabase): string | null {
  try {
    const databases = prepareStatement(db, "PRAGMA database_list").all() as {
      readonly name: string;
      readonly file: string | null;
    }[];
    const main = databases.find(({ name }) => name === "main");
    // A database in memory or in a temporary file has an empty name.
    return main?.file || null;
  } catch (error) {
    throw isClosed(db) ? databaseClosed(error) : storeFailure(error);
  }
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
  const mode = prepareStatement(db, "PRAGMA journal_mode = WAL").get() as {
    readonly journal_mode: string;
  };
  if (mode.journal_mode !== "wal") {
    throw new RunEventsError(
      "store_unavailable",
      "Expected a database file that can use a WAL, but SQLite refused it. Use a local disk.",
      { retryable: false },
    );
  }
  db.exec(`PRAGMA journal_size_limit = ${MOST_WAL_BYTES}`);
}
