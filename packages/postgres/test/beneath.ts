import type { Counts } from "@tm/run-events-conformance";
import type { PostgresDriver, PostgresPool } from "../src/index.ts";
import { driverOf } from "../src/pool.ts";

/** A driver that counts its statements, and may lead to another server. */
export interface CountedPool {
  readonly pool: PostgresDriver;
  readonly statements: () => number;
  /** Sends statements to this pool from now on; `null` for its own again. */
  lead(to: PostgresPool | null): void;
}

/** Part of the statement that notifies, and of no other. */
const NOTIFY = "pg_notify";

/** Wraps a pool in a driver that counts statements. */
export function countStatements(own: PostgresPool): CountedPool {
  const driver = driverOf(own);
  let statements = 0;
  let target = driver;

  /** Notifications are gathered and sent later, so they are not part of a call. */
  function note(text: string): void {
    if (!text.includes(NOTIFY)) statements += 1;
  }

  /** Runs a transaction of the target, which has some if the driver has. */
  const transact: PostgresDriver["transact"] = (work) => {
    if (target.transact === null) throw new TypeError("Expected both pools to be of one driver.");
    return target.transact((client) =>
      work({
        query(text, values) {
          note(text);
          return client.query(text, values);
        },
      }),
    );
  };
  return {
    pool: {
      ...driver,
      query(text, values, settings) {
        note(text);
        return target.query(text, values, settings);
      },
      transact: driver.transact && transact,
    },
    statements: () => statements,
    lead(to) {
      target = to === null ? driver : driverOf(to);
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
