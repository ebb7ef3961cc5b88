/** What this package binds to a statement. */
export type SqliteValue = string | number | null;

/** A prepared statement, of better-sqlite3 or of node:sqlite. */
export interface SqliteStatement {
  run(...values: SqliteValue[]): unknown;
  get(...values: SqliteValue[]): unknown;
  all(...values: SqliteValue[]): unknown[];
  iterate(...values: SqliteValue[]): Iterable<unknown>;
}

/**
 * An open database handle: a better-sqlite3 `Database` or a node:sqlite `DatabaseSync`. The caller opens and closes it.
 * @see https://github.com/WiseLibs/better-sqlite3/blob/master/docs/api.md
 * @see https://nodejs.org/api/sqlite.html
 */
export interface SqliteDatabase {
  exec(sql: string): unknown;
  prepare(sql: string): SqliteStatement;
  /** better-sqlite3 tells here whether a transaction is open. */
  readonly inTransaction?: boolean;
  /** node:sqlite tells it here, from Node 22.16 on. */
  readonly isTransaction?: boolean;
  /** node:sqlite; `isTransaction` may be asked only while this is true. */
  readonly isOpen?: boolean;
}

/** Whether a transaction is open on the handle; a closed handle has none. */
export function isInTransaction(db: SqliteDatabase): boolean {
  if (db.isOpen === false) return false;
  return db.inTransaction ?? db.isTransaction ?? false;
}

/** The switches of a statement's row shape; a handle may have been opened with other defaults. */
interface RowShape {
  safeIntegers?(on: boolean): unknown;
  setReadBigInts?(on: boolean): unknown;
  setReturnArrays?(on: boolean): unknown;
}

/** Prepares a statement whose rows are objects with plain numbers, whatever the handle's defaults are. */
export function prepareStatement(db: SqliteDatabase, sql: string): SqliteStatement {
  const statement: SqliteStatement & RowShape = db.prepare(sql);
  statement.safeIntegers?.(false);
  statement.setReadBigInts?.(false);
  statement.setReturnArrays?.(false);
  return statement;
}
