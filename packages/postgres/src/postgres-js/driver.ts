/** A connection of postgres.js, which has no such type. */
export interface PostgresJsConnection {
  /** Closes the connection after its last answer. Its place in the pool opens another one when it is needed. */
  end(): unknown;
}

/** A query of postgres.js: a promise of its rows. */
export interface PostgresJsQuery extends Promise<readonly unknown[]> {
  /** The session that the query was sent to, one object for each place of the pool. It is not in the types of postgres.js. */
  readonly state?: { readonly pid: number | null } | null;
}

/** Runs statements: the function of postgres.js, or the one that it passes into a transaction. */
export interface PostgresJsQueryable {
  unsafe(
    text: string,
    values?: unknown[],
    options?: {
      readonly prepare?: boolean;
      /**
       * Called with the connection when a statement without values is sent. It returns whether others may follow at once. It is not in the
       * types of postgres.js.
       */
      readonly onexecute?: (connection: PostgresJsConnection) => boolean;
    },
  ): PostgresJsQuery;
}

/** A function that changes a value that was read. */
type Change = ((value: never) => unknown) | undefined;

/** Functions between JavaScript's values and texts of Postgres, by the ids of types. */
type PostgresJsCodecs = Readonly<Record<number, (value: never) => unknown>>;

/**
 * The function of postgres.js 3.4: what `postgres(url)` returns. The caller creates and ends it.
 * @see https://github.com/porsager/postgres
 */
export interface PostgresJsSql extends PostgresJsQueryable {
  /** Runs work in a transaction. Rejects if its connection breaks, no matter what the work does. */
  begin(options: string, work: (sql: PostgresJsQueryable) => Promise<unknown>): Promise<unknown>;
  /** Listens on a connection of its own, and again after it was lost: `onListen` is called each time. */
  listen(
    channel: string,
    onNotification: (payload: string) => void,
    onListen?: () => void,
  ): Promise<unknown>;
  readonly options: {
    readonly parsers: PostgresJsCodecs;
    readonly serializers: PostgresJsCodecs;
    readonly transform: {
      readonly column: { readonly from: Change };
      readonly value: { readonly from: Change };
      readonly row: { readonly from: Change };
    };
  };
}
