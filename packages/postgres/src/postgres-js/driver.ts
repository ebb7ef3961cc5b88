/** Runs statements: the function of postgres.js, or the one that it passes into a transaction. */
export interface PostgresJsQueryable {
  unsafe(
    text: string,
    values?: unknown[],
    options?: { readonly prepare?: boolean },
  ): Promise<readonly unknown[]>;
}

/** A function that changes what was read. */
type Change = ((value: never) => unknown) | undefined;

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
    readonly transform: {
      readonly column: { readonly from: Change };
      readonly value: { readonly from: Change };
      readonly row: { readonly from: Change };
    };
  };
}
