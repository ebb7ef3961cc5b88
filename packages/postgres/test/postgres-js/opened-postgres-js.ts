import postgres from "postgres";
import { onTestFinished } from "vitest";
import type { PostgresPool } from "../../src/index.ts";
import { POLL } from "../recorded-pool.ts";

/** The function of postgres.js on a database; it is ended after the test. */
export function openSql(
  url: string,
  options: postgres.Options<Record<string, postgres.PostgresType>> = {},
): postgres.Sql {
  const sql = postgres(url, { onnotice() {}, ...options }) as unknown as postgres.Sql;
  onTestFinished(() => sql.end({ timeout: 1 }));
  return sql;
}

/** The same pool, of which no poll of the runs gets an answer. Only notifications notify then. */
export function withoutPolls(pool: PostgresPool): PostgresPool {
  return {
    ...pool,
    query: (text, values) =>
      text.includes(POLL) ? Promise.withResolvers<never>().promise : pool.query(text, values),
  };
}
