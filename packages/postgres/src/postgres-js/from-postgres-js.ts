import type { PostgresDriver, PostgresQueryable } from "../driver.ts";
import { ask } from "./ask.ts";
import { listenOn } from "./channels.ts";
import type { PostgresJsQueryable, PostgresJsSql } from "./driver.ts";
import { readingPhase } from "./reading-phase.ts";
import { transactOn } from "./transact.ts";

const EXPECTED =
  "Expected the function of postgres.js, what `postgres(url)` returns, without `transform`";

/**
 * Makes what `createPostgresStore` takes from the function of postgres.js.
 *
 * @param sql the result of `postgres(url)`. The caller ends it, after the store is closed
 * @throws TypeError for any other value, or for one with a `transform` of what is read
 * @example
 * const sql = postgres(connectionString);
 * const store = createPostgresStore(fromPostgresJs(sql));
 * await store.migrate();
 */
export function fromPostgresJs(sql: PostgresJsSql): PostgresDriver {
  checkSql(sql);
  return {
    /**
     * A statement with a name is prepared. Under another name, Postgres plans it again. One whose limit of time has passed runs on: a cancel
     * names only the connection, and may hit the caller's next statement there.
     */
    async query(text, values, { name, timeoutMs } = {}) {
      const named = name === undefined ? text : `/* ${name} */ ${text}`;
      const answer = readingPhase().then(() => ask(sql, named, values, name !== undefined));
      return timeoutMs === undefined ? answer : atMost(timeoutMs, answer);
    },
    transact: (work) => transactOn(sql, work),
    listen: (channel, on) => listenOn(sql, channel, on),
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

/** Waits for an answer. @throws Error with pg's message, once the time has passed */
async function atMost<T>(ms: number, answer: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error("Query read timeout")), ms);
  try {
    return await Promise.race([answer, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
