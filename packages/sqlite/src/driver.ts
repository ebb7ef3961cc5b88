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
