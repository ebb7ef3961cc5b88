import type { PostgresPool, PostgresQueryable } from "../driver.ts";
import { ask } from "./ask.ts";
import type { PostgresJsQueryable, PostgresJsSql } from "./driver.ts";
import { PostgresJsClient } from "./pool-client.ts";
import { transactOn } from "./transact.ts";

const EXPECTED =
  "Expected the function of postgres.js, what `postgres(url)` returns, without `transform`";

/**
 * Makes a pool for `createPostgresStore` from the function of postgres.js.
 *
 * @param sql the result of `postgres(url)`. The caller ends it, after the store is closed
 * @throws TypeError for any other value, or for one with a `transform` of what is read
 * @example
 * const sql = postgres(connectionString);
 * const store = createPostgresStore(fromPostgresJs(sql));
 * await store.migrate();
 */
export function fromPostgresJs(sql: PostgresJsSql): PostgresPool {
  checkSql(sql);
  const pool = new PostgresJsClient(sql);
  return {
    query: (text, values) => pool.query(text, values),
    connect: (callback) => callback(undefined, new PostgresJsClient(sql)),
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
  // Each statement is sent at once, since the transaction may be over by the next phase of the event loop.
  return { query: (text, values) => ask(transaction, text, values) };
}

function checkSql(sql: unknown): void {
  // A transaction has no `listen`.
  if (typeof sql !== "function" || !("listen" in sql) || !("options" in sql)) {
    throw new TypeError(`${EXPECTED}, got another value. Call \`postgres(url)\`, and pass that.`);
  }
  const { column, value, row } = (sql as unknown as PostgresJsSql).options.transform;
  if (!column.from && !value.from && !row.from) return;
  throw new TypeError(`${EXPECTED}, got one with it. Create another one for the store.`);
}
