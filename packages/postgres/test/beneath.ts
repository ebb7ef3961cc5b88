import type { Counts } from "@tm/run-events-conformance";
import type {
  PostgresPool,
  PostgresPoolClient,
  PostgresQueryable,
  PostgresStatement,
} from "../src/index.ts";

/** A pool that counts its statements, and may lead to another server. */
export interface CountedPool {
  readonly pool: PostgresPool;
  readonly statements: () => number;
  /** Sends statements and new connections to this pool from now on; `null` for its own again. */
  lead(to: PostgresPool | null): void;
}

/** Part of the statement that notifies, and of no other. */
const NOTIFY = "pg_notify";

/** Wraps a pool in one that counts statements. */
export function countStatements(own: PostgresPool): CountedPool {
  let statements = 0;
  let target = own;

  /** Notifications are gathered and sent later, so they are not part of a call. */
  function note(text: string): void {
    if (!text.includes(NOTIFY)) statements += 1;
  }

  function count<Client extends PostgresPoolClient>(client: Client): PostgresPoolClient {
    /** Called as pg's `query`: with values for a promise, or with a callback. */
    function query(statement: string | PostgresStatement, rest: unknown): unknown {
      note(typeof statement === "string" ? statement : statement.text);
      const ask = client.query.bind(client) as (asked: unknown, more: unknown) => unknown;
      return ask(statement, rest);
    }
    return {
      query: query as PostgresPoolClient["query"],
      on: client.on.bind(client) as PostgresPoolClient["on"],
      removeListener: (event, listener) => client.removeListener(event, listener),
      release: (destroy) => client.release(destroy),
    };
  }

  /** A transaction of the pool's own. */
  function counted<T>(work: (client: PostgresQueryable) => Promise<T>): Promise<T> {
    const run = target.transact?.bind(target);
    if (run === undefined) throw new TypeError("Expected both pools to be of one driver.");
    return run((client) =>
      work({
        query(text, values) {
          note(text);
          return client.query(text, values);
        },
      }),
    );
  }

  const pool: PostgresPool = {
    query(text, values) {
      note(text);
      return target.query(text, values);
    },
    ...(own.connect === undefined
      ? {}
      : {
          connect(callback) {
            target.connect?.((error, client) => {
              callback(error, client === undefined ? undefined : count(client));
            });
          },
          ...(own.transact === undefined ? {} : { transact: (work) => counted(work) }),
          ...(own.options === undefined ? {} : { options: own.options }),
        }),
  };
  return {
    pool,
    statements: () => statements,
    lead(to) {
      target = to ?? own;
    },
  };
}

/** The number of rows that each of the store's tables has. */
export async function countRows(pool: PostgresPool, schema: string): Promise<Counts> {
  const tables = ["runs", "events"] as const;
  const counts: Record<string, number> = {};
  for (const table of tables) {
    const { rows } = await pool.query(`SELECT count(*)::int AS count FROM ${schema}.${table}`);
    counts[table] = (rows[0] as { readonly count: number }).count;
  }
  return counts;
}
