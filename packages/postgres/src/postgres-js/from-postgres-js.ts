import type { PostgresPool, PostgresQueryable } from "../driver.ts";
import { channelsOf } from "./channels.ts";
import { checkSql } from "./check-sql.ts";
import type { PostgresJsSql, PostgresJsTransaction } from "./driver.ts";
import { encodeValues } from "./list-literal.ts";
import { PostgresJsClient } from "./pool-client.ts";

/**
 * The function of postgres.js as a pool that the store takes.
 *
 * @param sql what `postgres(url)` returned; the caller ends it, after the store is closed
 * @throws TypeError for any other value, or one with a `transform` or `types` that change what the store reads or writes
 * @example
 * const sql = postgres(connectionString);
 * const store = createPostgresStore(fromPostgresJs(sql));
 * await store.migrate();
 */
export function fromPostgresJs(sql: PostgresJsSql): PostgresPool {
  checkSql(sql);
  const channels = channelsOf(sql);
  const pool = new PostgresJsClient(sql, channels);
  return {
    query: (text, values) => pool.query(text, values),
    connect: (callback) => callback(undefined, new PostgresJsClient(sql, channels)),
  };
}

/** The statements that begin and end the savepoint of a joined append. */
const SAVEPOINT = /^(SAVEPOINT|RELEASE SAVEPOINT|ROLLBACK TO SAVEPOINT) run_events$/;

/**
 * A transaction of postgres.js as the `client` of `appendInTransaction`. postgres.js rolls a transaction back after any failed statement
 * outside of its own savepoints, so each statement gets one.
 *
 * @param transaction what `sql.begin` passes to its function
 * @example
 * await sql.begin((tx) => store.appendInTransaction({ client: clientOf(tx), runId, events }));
 */
export function clientOf(transaction: PostgresJsTransaction): PostgresQueryable {
  return {
    async query(text, values = []) {
      if (SAVEPOINT.test(text)) return { rows: [] };
      const rows = await transaction.savepoint((inner) => inner.unsafe(text, encodeValues(values)));
      return { rows: rows as readonly unknown[] };
    },
  };
}
