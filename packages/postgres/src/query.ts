import type { PostgresPool, PostgresQueryable } from "./driver.ts";
import { isContention, isStatementLost } from "./failure.ts";

/** Runs one statement. Throws what the driver throws. */
export type Query = (text: string, values?: unknown[]) => Promise<readonly unknown[]>;

/** How often a statement that another transaction was in the way of is sent in all. */
const TRIES = 10;

/** Runs statements on a connection, each as it comes. */
export function queryOf(connection: PostgresQueryable): Query {
  return async (text, values) => (await connection.query(text, values)).rows;
}

/**
 * Sends a statement again that was rolled back whole because it met another: where the database's default isolation is
 * stricter than READ COMMITTED. Only for statements that are transactions of their own.
 */
export function withRetries(query: Query): Query {
  return async (text, values) => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await query(text, values);
      } catch (error) {
        if (attempt === TRIES || !isContention(error)) throw error;
      }
    }
  };
}

/**
 * Runs statements under a name, so that a connection parses and plans each once, where connections are known to be
 * sessions. Elsewhere, and once a session turned out not to know a name that it was given, they go out without.
 */
export function preparedQueryOf(pool: PostgresPool, isSession: () => boolean): Query {
  const unnamed = queryOf(pool);
  const names = new Map<string, string>();
  let keepsNames = true;

  function nameOf(text: string): string {
    const name = names.get(text) ?? `run_events_${crypto.randomUUID()}`;
    names.set(text, name);
    return name;
  }

  return async (text, values = []) => {
    if (!keepsNames || !isSession()) return unnamed(text, values);
    try {
      return (await pool.query({ name: nameOf(text), text, values })).rows;
    } catch (error) {
      if (!isStatementLost(error)) throw error;
      keepsNames = false;
      return unnamed(text, values);
    }
  };
}
