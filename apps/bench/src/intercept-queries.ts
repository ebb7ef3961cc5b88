import type pg from "pg";

/** A pool, or a connection taken out of it. */
export type Connection = pg.Pool | pg.PoolClient;
type Statement = string | { readonly text: string; readonly values?: unknown[] };
interface Rows {
  readonly rows: readonly unknown[];
}
type Answer = Promise<Rows>;

/**
 * The pool, with every query that is asked of it or of a connection taken out of it shown to `intercept` first.
 * @param intercept sends the query by `send`, or answers it itself
 */
export function interceptQueries(
  pool: pg.Pool,
  intercept: (
    query: { readonly connection: Connection; readonly text: string; readonly values: unknown[] },
    send: () => Answer,
  ) => Answer,
): pg.Pool {
  function wrap<Wrapped extends Connection>(connection: Wrapped): Wrapped {
    function answer(statement: Statement, given: unknown[] | undefined): Answer {
      const { text, values = given ?? [] } =
        typeof statement === "string" ? { text: statement } : statement;
      return intercept({ connection, text, values }, () => connection.query(statement, given));
    }
    /** As pg's: a promise, or a callback in place of the values. */
    function query(
      statement: Statement,
      rest?: unknown[] | ((error: Error | null, answer?: Rows) => void),
    ): Answer | undefined {
      if (typeof rest !== "function") return answer(statement, rest);
      answer(statement, undefined).then((rows) => rest(null, rows), rest);
      return undefined;
    }
    function connect(take: (error: Error | undefined, client: pg.PoolClient | undefined) => void) {
      pool.connect((error, client) => take(error, client && wrap(client)));
    }
    return new Proxy(connection, {
      get(target, key) {
        if (key === "query") return query;
        // Of a pool. A connection that was taken out of one is connected.
        if (key === "connect") return connect;
        return Reflect.get(target, key) as unknown;
      },
    });
  }
  return wrap(pool);
}
