type Answer = { readonly rows: readonly unknown[] };

/** Runs one statement with `$1`-parameters: a pool, a client, a PGlite database or its transaction. */
export interface PostgresQueryable {
  query(text: string, values?: unknown[]): Promise<Answer>;
}

/** Settings of one statement. */
export interface StatementSettings {
  /** A connection parses a statement with a name once, and keeps it under that name. */
  readonly name?: string;
  /**
   * The time that its answer may take, in milliseconds.
   * @defaultValue the connection's own setting
   */
  readonly timeoutMs?: number;
}

/** The callbacks for a channel that is listened on. */
export interface OnChannel {
  /** Called once the connection listens: from now on notifications arrive. */
  readonly onListening: () => void;
  readonly onNotification: (payload: string) => void;
  /** Called when the connection could not be opened, or was lost. No callback comes after it. */
  readonly onLost: () => void;
}

/** The store's way to a server, as `fromPostgresJs` makes one. */
export interface PostgresDriver extends PostgresQueryable {
  /** Runs a statement that is a whole transaction, on any connection. A failed one does not close a connection that still works. */
  query(text: string, values?: unknown[], settings?: StatementSettings): Promise<Answer>;
  /** Runs work in a transaction of its own, at READ COMMITTED; `null` where no other process reaches the database. */
  readonly transact: (<T>(work: (client: PostgresQueryable) => Promise<T>) => Promise<T>) | null;
  /**
   * Listens on one connection, until the returned function is called; `null` where no other process reaches the database.
   * @param channel an identifier
   */
  readonly listen: ((channel: string, on: OnChannel) => () => void) | null;
}

/** A statement as pg's clients take it. */
export interface PgStatement {
  readonly name?: string | undefined;
  readonly text: string;
  readonly values: unknown[];
  readonly query_timeout?: number | undefined;
}

/** A connection that was taken out of a pool of pg. */
export interface PgClient extends PostgresQueryable {
  query(text: string, values?: unknown[]): Promise<Answer>;
  /** Calls back with the answer, or with the error as the first argument. */
  query(statement: PgStatement, callback: (error: Error | null, answer: Answer) => void): void;
  on(event: "notification", listener: (notification: PgNotification) => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
  on(event: "end", listener: () => void): unknown;
  removeListener(event: "error", listener: (error: Error) => void): unknown;
  /** `true` closes the connection instead of giving it back. */
  release(destroy: boolean): void;
}

interface PgNotification {
  readonly channel: string;
  readonly payload?: string | undefined;
}

/**
 * pg's `Pool`, or Neon's. The caller creates and ends it.
 * @see https://node-postgres.com/apis/pool
 */
export interface PgPool extends PostgresQueryable {
  connect(callback: (error: Error | undefined, client: PgClient | undefined) => void): void;
  readonly options?: {
    readonly max?: number | undefined;
    readonly query_timeout?: number | undefined;
  };
  /** Whether it has been ended. Such a pool is refused. */
  readonly ending?: boolean;
}

/** A PGlite database, which no other process reaches. The caller opens and closes it. */
export interface PGliteDatabase extends PostgresQueryable {
  query(
    text: string,
    values?: unknown[],
    options?: { readonly serializers: Readonly<Record<number, never>> },
  ): Promise<Answer>;
  /** Whether a transaction is open on it now. The store's own calls wait for its end. */
  isInTransaction?(): boolean;
  /** Whether it has been closed. Such a database is refused. */
  readonly closed?: boolean;
}

/** The pool or database that a store runs on: pg's `Pool`, the result of `fromPostgresJs`, or a PGlite database. */
export type PostgresPool = PgPool | PostgresDriver | PGliteDatabase;
