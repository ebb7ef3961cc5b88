import { checkSynchronous } from "./check-handle.ts";

/** What this package binds to a statement. */
export type SqliteValue = string | number | null;

/**
 * A prepared statement, of better-sqlite3, node:sqlite or bun:sqlite. It is given nothing but `SqliteValue`s; the parameters
 * are `unknown` because TypeScript 5 takes better-sqlite3's own types for no other.
 */
export interface SqliteStatement {
  run(...values: readonly unknown[]): unknown;
  /** The first row; `undefined` or `null` if there is none. */
  get(...values: readonly unknown[]): unknown;
  all(...values: readonly unknown[]): unknown[];
  iterate(...values: readonly unknown[]): Iterable<unknown>;
}

/**
 * An open database handle: a better-sqlite3 `Database`, a node:sqlite `DatabaseSync` or a bun:sqlite `Database`. The caller
 * opens and closes it.
 * @see https://github.com/WiseLibs/better-sqlite3/blob/master/docs/api.md
 * @see https://nodejs.org/api/sqlite.html
 */
export interface SqliteDatabase {
  exec(sql: string): unknown;
  prepare(sql: string): SqliteStatement;
  /** better-sqlite3 and bun:sqlite tell here whether a transaction is open. */
  readonly inTransaction?: boolean;
  /** node:sqlite tells it here, from Node 22.16 on. */
  readonly isTransaction?: boolean;
  /** node:sqlite; `isTransaction` may be asked only while this is true. */
  readonly isOpen?: boolean;
  /** better-sqlite3: whether the handle is open. node:sqlite has a method of this name. */
  readonly open?: unknown;
}

/** A statement as this package uses it: its values are checked, and its rows have one shape on every driver. */
export interface Statement {
  run(...values: readonly SqliteValue[]): unknown;
  /** The first row, `undefined` if there is none. */
  get(...values: readonly SqliteValue[]): unknown;
  all(...values: readonly SqliteValue[]): unknown[];
  iterate(...values: readonly SqliteValue[]): Iterable<unknown>;
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
    // bun:sqlite shows it in no other way.
    return true;
  }
}

/** The switches of a statement's row shape; a handle may have been opened with other defaults. */
interface RowShape {
  safeIntegers?(on: boolean): unknown;
  setReadBigInts?(on: boolean): unknown;
  setReturnArrays?(on: boolean): unknown;
}

/** Prepares a statement whose rows are objects with plain numbers, whatever the handle's defaults are. */
export function prepareStatement(db: SqliteDatabase, sql: string): Statement {
  const statement: SqliteStatement & RowShape = db.prepare(sql);
  checkSynchronous(statement);
  statement.safeIntegers?.(false);
  statement.setReadBigInts?.(false);
  statement.setReturnArrays?.(false);
  return {
    run: (...values) => statement.run(...values),
    // bun:sqlite answers null where the others answer undefined.
    get: (...values) => statement.get(...values) ?? undefined,
    all: (...values) => statement.all(...values),
    iterate: (...values) => statement.iterate(...values),
  };
}
