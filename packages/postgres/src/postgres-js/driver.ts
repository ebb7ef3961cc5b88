/** A query of postgres.js: a promise of its rows, which can be cancelled. */
export interface PostgresJsQuery extends Promise<readonly unknown[]> {
  cancel(): unknown;
}

/** Runs statements: the function of postgres.js, or the one that it passes into a transaction. */
export interface PostgresJsQueryable {
  unsafe(
    text: string,
    values?: unknown[],
    options?: { readonly prepare?: boolean },
  ): PostgresJsQuery;
}

/** A function that changes what was read. */
type Change = ((value: never) => unknown) | undefined;

/**
 * The function of postgres.js 3.4: what `postgres(url)` returns. The caller creates and ends it.
 * @see https://github.com/porsager/postgres
 */
export interface PostgresJsSql extends PostgresJsQueryable {
  /** Listens on a connection of its own, and again after it was lost: `onListen` is called each time. */
  listen(
    channel: string,
    onNotification: (payload: string) => void,
    onListen?: () => void,
  ): Promise<unknown>;
  /** Closes the connections when they have answered. Later statements open others. It is not in the types of postgres.js. */
  close?(): Promise<void>;
  readonly options: {
    readonly transform: {
      readonly column: { readonly from: Change };
      readonly value: { readonly from: Change };
      readonly row: { readonly from: Change };
    };
  };
}

/** A transaction of postgres.js: what `sql.begin` passes to its function. */
export interface PostgresJsTransaction extends PostgresJsQueryable {
  savepoint<T>(work: (inner: PostgresJsQueryable) => Promise<T>): Promise<unknown>;
}
