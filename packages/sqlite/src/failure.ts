import { RunEventsError } from "@tm/run-events-core";

/**
 * The primary result codes that this package distinguishes.
 * @see https://www.sqlite.org/rescode.html
 */
const RESULT_NAMES: Readonly<Record<number, string>> = {
  5: "BUSY",
  6: "LOCKED",
  8: "READONLY",
  10: "IOERR",
  11: "CORRUPT",
  13: "FULL",
  14: "CANTOPEN",
  26: "NOTADB",
};

/** The failure of a call on a handle that the caller has closed. */
export function databaseClosed(cause?: unknown): RunEventsError {
  return new RunEventsError(
    "store_unavailable",
    "The database is closed: open it again, and create a store on the new handle.",
    { retryable: false, ...(cause === undefined ? {} : { cause }) },
  );
}

/** Failures that last until the file, the disk or the rights are repaired. */
const LASTING: Readonly<Record<string, string>> = {
  READONLY: "The database is read-only: make the file and its folder writable.",
  CORRUPT: "The database file is damaged: restore a backup.",
  FULL: "The database's disk is full: free some space.",
  CANTOPEN: "The database file cannot be opened: check that its folder exists and is writable.",
  NOTADB: "The file is not a database: check its path.",
};

/** SQLite's messages for a table or a column that is missing. They have no code of their own. */
const NO_TABLE = /\b(?:no such (?:table|column): |has no column named )/;
const TABLES_MISSING =
  "A table or a column is missing, which the `cause` names: call `migrate()`, or restore a backup.";

const PASSING: Readonly<Record<string, string>> = {
  BUSY: "The database is locked by another connection: try again.",
  LOCKED: "The database is locked by another connection: try again.",
  IOERR: "The database's disk failed: check the disk.",
};

/**
 * The name of the driver's primary result code, without `SQLITE_`; `null` for an error without one. better-sqlite3 and bun:sqlite give
 * the extended code's name, node:sqlite its number, whose low byte is the primary code. A Durable Object has the name in its message.
 */
function resultName(error: unknown): string | null {
  if (typeof error !== "object" || error === null) return null;
  const { code, errcode, message } = error as Readonly<Record<string, unknown>>;
  if (typeof errcode === "number") return RESULT_NAMES[errcode & 0xff] ?? null;
  if (typeof code === "string") return /^SQLITE_([A-Z]+)/.exec(code)?.[1] ?? null;
  return typeof message === "string" ? (/: SQLITE_([A-Z]+)/.exec(message)?.[1] ?? null) : null;
}

/** Whether another connection has the lock, so that the same call is worth another try in a moment. */
export function isBusy(error: unknown): boolean {
  const name = resultName(error);
  return name === "BUSY" || name === "LOCKED";
}

/** Whether the file system failed. After a COMMIT it is then unknown what a crash would restore. */
export function isDiskFailure(error: unknown): boolean {
  return resultName(error) === "IOERR";
}

/**
 * A driver's error as `store_unavailable` with that error as the cause. A `RunEventsError` stays as it is.
 * @see clause S20 in `STORE.md`
 */
export function storeFailure(error: unknown, ambiguous = false): RunEventsError {
  if (error instanceof RunEventsError) return error;
  const name = resultName(error) ?? "";
  const isMissing = error instanceof Error && NO_TABLE.test(error.message);
  const lasting = isMissing ? TABLES_MISSING : LASTING[name];
  return new RunEventsError(
    "store_unavailable",
    lasting ?? PASSING[name] ?? "The database failed: the `cause` has its error.",
    {
      cause: error,
      retryable: lasting === undefined,
      ambiguous,
    },
  );
}
