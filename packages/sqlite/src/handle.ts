import type { SqliteValue, SqliteStatement, SqliteDatabase } from "./driver.ts";

/** A statement as this package uses it: its values are typed, and its rows have one shape on every driver. */
export interface Statement {
  run(...values: readonly SqliteValue[]): unknown;
  /** The first row, or `undefined`. */
  get(...values: readonly SqliteValue[]): unknown;
  all(...values: readonly SqliteValue[]): unknown[];
}

/** Whether a transaction is open on the handle; a closed handle has none. */
export function isInTransaction(db: SqliteDatabase): boolean {
  if (db.isOpen === false) return false;
  return db.inTransaction ?? db.isTransaction ?? false;
}

/** Whether the caller has closed the handle. */
export function isClosed(db: SqliteDatabase): boolean {
  if (db.isOpen === false || db.open === false) return true;
  try {
    isInTransaction(db);
    return false;
  } catch {
    // bun:sqlite does not show it in another way.
    return true;
  }
}

/** The switches of a statement's row shape; a handle may have been opened with other defaults. */
interface RowShape {
  safeIntegers?(on: boolean): unknown;
  setReadBigInts?(on: boolean): unknown;
  setReturnArrays?(on: boolean): unknown;
}

/** Prepares a statement whose rows are objects with plain numbers, under any defaults of the handle. */
export function prepareStatement(db: SqliteDatabase, sql: string): Statement {
  const statement: SqliteStatement & RowShape = db.prepare(sql);
  statement.safeIntegers?.(false);
  statement.setReadBigInts?.(false);
  statement.setReturnArrays?.(false);
  return {
    run: statement.run.bind(statement),
    // bun:sqlite answers null where the others answer undefined.
    get: (...values) => statement.get(...values) ?? undefined,
    all: statement.all.bind(statement),
  };
}
