import type { PostgresPool, PostgresQueryable } from "../driver.ts";
import { channelsOf } from "./channels.ts";
import { checkSql } from "./check-sql.ts";
import type { PostgresJsQueryable, PostgresJsSql } from "./driver.ts";
import { encodeValues } from "./list-literal.ts";
import { PostgresJsClient } from "./pool-client.ts";
import { rowsOf } from "./rows.ts";
import { timedQueriesOf } from "./timed-queries.ts";
import { transactOn } from "./transact.ts";

/**
 * Makes a pool for `createPostgresStore` from the function of postgres.js.
 *
 * @param sql the result of `postgres(url)`. The caller ends it, after the store is closed
 * @throws TypeError for any other value, or for a `transform` or `types` that change the store's values
 * @example
 * const sql = postgres(connectionString);
 * const store = createPostgresStore(fromPostgresJs(sql));
 * await store.migrate();
 */
export function fromPostgresJs(sql: PostgresJsSql): PostgresPool {
  checkSql(sql);
  const channels = channelsOf(sql);
  const timed = timedQueriesOf(sql);
  const pool = new PostgresJsClient(sql, channels, timed);
  return {
    query: (text, values) => pool.query(text, values),
    connect: (callback) => callback(undefined, new PostgresJsClient(sql, channels, timed)),
    transact: (work) => transactOn(sql, work),
  };
}

/**
 * Makes the `client` of `appendInTransaction` from a transaction of postgres.js.
 *
 * @param transaction the argument that `sql.begin` passes to its function
 * @example
 * await sql.begin((tx) => store.appendInTransaction({ client: clientOf(tx), ownerId, runId, events }));
 */
export function clientOf(transaction: PostgresJsQueryable): PostgresQueryable {
  return {
    // Each statement is sent at once, since the transaction may be over by the next phase of the event loop.
    query: async (text, values = []) => ({
      rows: rowsOf(await transaction.unsafe(text, encodeValues(values))),
    }),
  };
}
