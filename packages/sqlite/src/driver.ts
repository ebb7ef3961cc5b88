/** A value that this package binds to a statement. */
export type SqliteValue = string | number | null;

/**
 * A prepared statement of better-sqlite3, node:sqlite or bun:sqlite. It only gets {@link SqliteValue}s. The parameters are `unknown`,
 * since TypeScript 5 accepts better-sqlite3's types for no other.
 */
export interface SqliteStatement {
  run(...values: readonly unknown[]): unknown;
  /** The first row; `undefined` or `null` without one. */
  get(...values: readonly unknown[]): unknown;
  all(...values: readonly unknown[]): unknown[];
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
  /** better-sqlite3 and bun:sqlite: whether a transaction is open. */
  readonly inTransaction?: boolean;
  /** node:sqlite from Node 22.16 on: whether a transaction is open. */
  readonly isTransaction?: boolean;
  /** node:sqlite: whether the handle is open. `isTransaction` may be read only while this is true. */
  readonly isOpen?: boolean;
  /** better-sqlite3: whether the handle is open. node:sqlite has a method of this name. */
  readonly open?: unknown;
}

/**
 * The storage of a Durable Object that has SQLite: its `ctx.storage`. Only that object reads and writes it.
 * @see https://developers.cloudflare.com/durable-objects/api/sqlite-storage-api/
 */
export interface SqliteObjectStorage {
  readonly sql: { exec(sql: string, ...values: SqliteValue[]): { toArray(): unknown[] } };
  /** Runs the work in a transaction, or in a savepoint of one that is open. */
  transactionSync<T>(work: () => T): T;
  /** Resolves once the storage has confirmed what was written. */
  sync(): Promise<void>;
}
