import postgres from "postgres";
import { onTestFinished } from "vitest";

/** The function of postgres.js on a database; it is ended after the test. */
export function openSql(
  url: string,
  options: postgres.Options<Record<string, postgres.PostgresType>> = {},
): postgres.Sql {
  const sql = postgres(url, { onnotice() {}, ...options }) as unknown as postgres.Sql;
  onTestFinished(() => sql.end({ timeout: 1 }));
  return sql;
}
