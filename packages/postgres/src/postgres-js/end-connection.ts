import type { PostgresJsConnection, PostgresJsQuery, PostgresJsSql } from "./driver.ts";
import { readingPhase } from "./reading-phase.ts";

/**
 * Ends the connection that a statement failed on, after its last answer: the queries that wait for it get their answers first. The other
 * connections stay. postgres.js shows which connection a statement is sent on only if the statement has no values. So `SELECT 1` is sent
 * again and again, which uses one idle connection after the other.
 */
export async function endConnectionOf(sql: PostgresJsSql, failed: PostgresJsQuery): Promise<void> {
  const pid = failed.state?.pid;
  const sought = SOUGHT.get(sql) ?? new Set();
  SOUGHT.set(sql, sought);
  // Many statements may fail on one connection.
  if (pid == null || sought.has(pid)) return;
  sought.add(pid);
  try {
    await endSession(sql, failed, pid);
  } finally {
    sought.delete(pid);
  }
}

/** The sessions that are being ended, of each `sql`. */
const SOUGHT = new WeakMap<PostgresJsSql, Set<number>>();

async function endSession(sql: PostgresJsSql, failed: PostgresJsQuery, pid: number): Promise<void> {
  const seen = new Set<PostgresJsConnection>();
  for (;;) {
    let connection: PostgresJsConnection | undefined;
    await readingPhase();
    const query = sql.unsafe("SELECT 1", [], {
      onexecute(one) {
        connection = one;
        return true;
      },
    });
    await query;
    // All idle connections were seen. The one that is sought is closed already, or in use: then its next statement fails, too.
    if (connection === undefined || seen.has(connection)) return;
    if (query.state === failed.state && query.state?.pid === pid) {
      connection.end();
      return;
    }
    seen.add(connection);
  }
}
