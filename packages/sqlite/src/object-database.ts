import type {
  SqliteDatabase,
  SqliteObjectStorage,
  SqliteStatement,
  SqliteValue,
} from "./driver.ts";

/** Whether the caller gave the storage of a Durable Object instead of a handle. */
export function isObjectStorage(
  given: SqliteDatabase | SqliteObjectStorage,
): given is SqliteObjectStorage {
  return typeof given === "object" && given !== null && "transactionSync" in given;
}

/**
 * The storage of a Durable Object as a handle. The object runs the transactions and keeps the file, so BEGIN and PRAGMA are
 * refused there. No other process reaches its data.
 */
export class ObjectDatabase implements SqliteDatabase {
  readonly #storage: SqliteObjectStorage;
  readonly #sql: SqliteObjectStorage["sql"];
  /** The number of transactions and savepoints of `transact` that are open. */
  #depth = 0;

  /** @throws the error of the object, if it has no SQLite */
  constructor(storage: SqliteObjectStorage) {
    this.#storage = storage;
    this.#sql = storage.sql;
  }

  /** Whether a transaction of `transact` is open. An object does not show other transactions. */
  get inTransaction(): boolean {
    return this.#depth > 0;
  }

  exec(sql: string): void {
    this.#sql.exec(sql);
  }

  /** The object itself keeps the prepared statements, by their texts. */
  prepare(sql: string): SqliteStatement {
    const ask = (values: readonly unknown[]) => this.#sql.exec(sql, ...(values as SqliteValue[]));
    return {
      run: (...values) => void ask(values),
      get: (...values) => ask(values).toArray()[0],
      all: (...values) => ask(values).toArray(),
    };
  }

  /** Runs the work in a transaction, or in a savepoint of one that is open. If the work throws, it is undone, and the error is thrown. */
  transact<T>(work: () => T): T {
    this.#depth += 1;
    try {
      return this.#storage.transactionSync(work);
    } finally {
      this.#depth -= 1;
    }
  }

  /** Resolves once the object's storage has confirmed everything that was written. */
  sync(): Promise<void> {
    return this.#storage.sync();
  }
}
