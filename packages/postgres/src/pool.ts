import { RunEventsError } from "@tm/run-events-core";
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
 * @throws TypeError with what came instead, and what to do
 */
export function checkPool(pool: unknown, name: "pool" | "listenPool"): void {
  const mistake = mistakeOf(pool) ?? (name === "listenPool" ? noPool(pool) : null);
  if (mistake === null) return;
  const expected = name === "pool" ? "a pg `Pool` or a PGlite database" : "a pg `Pool`";
  throw new TypeError(`Expected \`${name}\` to be ${expected}, got ${mistake}.`);
}

/** What is wrong with a pool, or `null`. Never shows its content, since a URL may have a password. */
function mistakeOf(pool: unknown): string | null {
  if (typeof pool === "string" || pool instanceof URL) {
    return "a URL: give `new pg.Pool({ connectionString })`";
  }
  if (typeof pool === "function") {
    return "a function: of postgres.js, give `fromPostgresJs(sql)`, from `@tm/run-events-postgres/postgres-js`";
  }
  if (typeof pool !== "object" || pool === null) return String(pool);
  const { query, connect, then, ending, closed } = pool as Readonly<Record<string, unknown>>;
  if (typeof then === "function") return "a promise: await it";
  if (typeof query !== "function") return "an object without `query`";
  // A connection takes one transaction at a time, and none once it has broken.
  if (typeof connect === "function" && "connectionParameters" in pool) {
    return "a single connection, as a pg `Client` is: give a `Pool`; `appendInTransaction` takes a `client`";
  }
  if (ending === true || closed === true) {
    return "one that has been ended: close the store first, and end its pool then";
  }
  return null;
}

function noPool(pool: unknown): string | null {
  const { connect } = pool as Partial<PostgresPool>;
  return typeof connect === "function" ? null : "an object without `connect`";
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

/** How the pool itself runs transactions; `null` if it does not. */
export function ownTransactOf(pool: PostgresPool): Transact | null {
  const transact = pool.transact?.bind(pool);
  return transact === undefined ? null : (work) => transact((client) => work(queryOf(client)));
}

/** How to take connections out of the pool; `null` if it has none. */
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
