import type { PostgresPool, PostgresQueryable } from "../driver.ts";
import { channelsOf } from "./channels.ts";
import { checkSql } from "./check-sql.ts";
import type { PostgresJsSql, PostgresJsTransaction } from "./driver.ts";
import { encodeValues } from "./list-literal.ts";
import { PostgresJsClient } from "./pool-client.ts";
import { readingPhase } from "./reading-phase.ts";
import { rowsOf } from "./rows.ts";
import { timedQueriesOf } from "./timed-queries.ts";

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
  };
}

/** One client for each transaction: the appends of a client are sent one after the other. */
const CLIENTS = new WeakMap<PostgresJsTransaction, PostgresQueryable>();

/** The statements that begin and end the savepoint of a joined append. */
const SAVEPOINT = /^(SAVEPOINT|RELEASE SAVEPOINT|ROLLBACK TO SAVEPOINT) run_events_\d+$/;

/**
 * Makes the `client` of `appendInTransaction` from a transaction of postgres.js. Each statement gets a savepoint: without one, postgres.js
 * rolls the transaction back after a failed statement.
 *
 * @param transaction the argument that `sql.begin` passes to its function
 * @example
 * await sql.begin((tx) => store.appendInTransaction({ client: clientOf(tx), runId, events }));
 */
export function clientOf(transaction: PostgresJsTransaction): PostgresQueryable {
  const client: PostgresQueryable = CLIENTS.get(transaction) ?? {
    async query(text, values = []) {
      if (SAVEPOINT.test(text)) return { rows: [] };
      await readingPhase();
      const rows = await transaction.savepoint((inner) => inner.unsafe(text, encodeValues(values)));
      return { rows: rowsOf(rows as readonly unknown[]) };
    },
  };
  CLIENTS.set(transaction, client);
  return client;
}
