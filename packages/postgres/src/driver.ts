/** A notification as a listening client passes it on. */
export interface PostgresNotification {
  readonly channel: string;
  readonly payload?: string | undefined;
}

/** Runs one statement with `$1`-parameters: a pool, a client, a PGlite database or its transaction. */
export interface PostgresQueryable {
  query(text: string, values?: unknown[]): Promise<{ readonly rows: readonly unknown[] }>;
}

/** A statement with its values. */
export interface PostgresStatement {
  /** A connection parses a statement with a name once, and keeps it under that name. */
  readonly name?: string;
  readonly text: string;
  readonly values: unknown[];
  /**
   * The time that its answer may take, in milliseconds.
   * @defaultValue the connection's own setting
   */
  readonly query_timeout?: number;
}

/** A connection that was taken out of a pool. */
export interface PostgresPoolClient extends PostgresQueryable {
  query(text: string, values?: unknown[]): Promise<{ readonly rows: readonly unknown[] }>;
  /** Calls back with the answer, or with the error as the first argument. */
  query(
    statement: PostgresStatement,
    callback: (error: Error | null, answer: { readonly rows: readonly unknown[] }) => void,
  ): void;
  on(event: "notification", listener: (notification: PostgresNotification) => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
  on(event: "end", listener: () => void): unknown;
  removeListener(event: "error", listener: (error: Error) => void): unknown;
  /** `true` closes the connection instead of giving it back. */
  release(destroy: boolean): void;
}

/**
 * A pool of connections: pg's `Pool`. A PGlite database has no `connect`, and no other process reaches it. The caller creates and
 * ends the pool.
 * @see https://node-postgres.com/apis/pool
 */
export interface PostgresPool extends PostgresQueryable {
  query(
    text: string,
    values?: unknown[],
    options?: { readonly serializers: Readonly<Record<number, never>> },
  ): Promise<{ readonly rows: readonly unknown[] }>;
  connect?(
    callback: (error: Error | undefined, client: PostgresPoolClient | undefined) => void,
  ): void;
  /**
   * Runs work in a transaction of its own, on one connection, at READ COMMITTED. Only of a pool whose `connect` gives no connection of its
   * own, as that of postgres.js: its clients send each statement on any connection.
   */
  transact?<T>(work: (client: PostgresQueryable) => Promise<T>): Promise<T>;
  readonly options?: { readonly max?: number | undefined };
  /** Whether a pg pool has been ended. Such a pool is refused. */
  readonly ending?: boolean;
  /** Whether a transaction is open on a PGlite database now. The store's own calls wait for its end. */
  isInTransaction?(): boolean;
  /** Whether a PGlite database has been closed. Such a database is refused. */
  readonly closed?: boolean;
}
