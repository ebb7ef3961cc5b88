import { RunEventsError } from "@tm/run-events-core";
import { describeValue } from "@tm/run-events-core/wire";
import type { PostgresPool } from "./driver.ts";
import { type Connect, type Query, queryOf, type Transact } from "./query.ts";

/** pg's message when no connection of the pool became free in time. */
const ALL_IN_USE = "timeout exceeded when trying to connect";
const OPEN = "A transaction is open on the database, which was begun with BEGIN.";
/** The messages of pg and PGlite once they have been ended. */
const ENDED = new Set(["Cannot use a pool after calling end on the pool", "PGlite is closed"]);

/**
 * Checks that the store can use this pool.
 * @param name its name for the caller
 * @throws TypeError with what was expected, and what came
 */
export function checkPool(pool: unknown, name: "pool" | "listenPool"): void {
  const { query, connect, ending, closed } = Object(pool) as Readonly<Record<string, unknown>>;
  const canConnect = typeof connect === "function";
  // A connection takes one transaction at a time, and none once it has broken.
  const isClient = canConnect && "connectionParameters" in Object(pool);
  const isPool = typeof query === "function" && !isClient && (canConnect || name === "pool");
  if (isPool && ending !== true && closed !== true) return;
  const expected = name === "pool" ? ", `fromPostgresJs(sql)` or a PGlite database" : "";
  // A URL may have a password.
  const came = typeof pool === "string" ? "a text" : describeValue(pool);
  throw new TypeError(
    `Expected \`${name}\` to be a pg \`Pool\`${expected} that has not been ended. Got ${isPool ? "one that has been ended" : came}.`,
  );
}

/** Runs statements on a connection that the pool picks. */
export function queryOfPool(pool: PostgresPool): Query {
  const query = pool.isInTransaction === undefined ? queryOf(pool) : queryBetween(pool);
  return (text, values) =>
    query(text, values).catch((error: unknown) => {
      throw poolFailure(pool, error);
    });
}

/**
 * Runs statements on a PGlite database between the transactions that a program begins with `BEGIN`, since inside one the program could roll
 * back what was acknowledged. PGlite itself keeps statements out of the transactions of its `transaction()`.
 */
function queryBetween(db: PostgresPool): Query {
  const refuse = (): void => {
    if (db.isInTransaction?.() === true) throw Object.assign(new Error(OPEN), { code: "25001" });
  };
  // PGlite looks up the serializer of each value when it is the statement's turn, and nothing comes between that and the statement.
  const serializers = new Proxy({}, { get: refuse });
  return async (text, values) => (await db.query(text, values, { serializers })).rows;
}

/** The pool's own function for transactions; `null` if it has none. */
export function ownTransactOf(pool: PostgresPool): Transact | null {
  const transact = pool.transact?.bind(pool);
  return transact === undefined ? null : (work) => transact((client) => work(queryOf(client)));
}

/** The function that takes connections out of the pool; `null` if it has none. */
export function connectOf(pool: PostgresPool): Connect | null {
  const connect = pool.connect?.bind(pool);
  if (connect === undefined) return null;
  return (onError) =>
    new Promise((resolve, reject) => {
      connect((error, client) => {
        if (client === undefined) {
          reject(
            poolFailure(
              pool,
              error ??
                new Error("Expected the pool to give a connection or an error, got neither."),
            ),
          );
          return;
        }
        client.on("error", onError);
        resolve(client);
      });
    });
}

/**
 * A pool's error, as a `RunEventsError` where its meaning is known: then nothing was sent.
 * @see clauses S7 and S20 in `STORE.md`
 */
function poolFailure(pool: PostgresPool, error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  if (ENDED.has(error.message)) {
    return new RunEventsError(
      "store_unavailable",
      "The store's pool has been ended: end it after the store is closed.",
      {
        cause: error,
        retryable: false,
      },
    );
  }
  if (error.message !== ALL_IN_USE) return error;
  const max = pool.options?.max;
  return new RunEventsError(
    "store_unavailable",
    `None of the pool's ${max === undefined ? "" : `${max} `}connections became free in time: check that the database answers. If it does, raise the pool's \`max\`, or hold its connections for less time.`,
    { cause: error },
  );
}
