import { setTimeout } from "node:timers/promises";
import type { PostgresDriver, PostgresQueryable } from "./driver.ts";
import { isContention, isStatementLost } from "./failure.ts";

/** Runs one statement. Throws what the driver throws. */
export type Query = (text: string, values?: unknown[]) => Promise<readonly unknown[]>;

/** The time that a statement that conflicts with other transactions is sent again, in milliseconds. */
const PATIENCE_MS = 10_000;
const MOST_PAUSE_MS = 20;

/** Runs statements on a connection, each when it is called. */
export function queryOf(connection: PostgresQueryable): Query {
  return async (text, values) => (await connection.query(text, values)).rows;
}

/**
 * Sends a statement again after a conflict with another transaction rolled it back, as where the database's default isolation
 * is stricter than READ COMMITTED. Only for statements that are whole transactions.
 */
export function withRetries(query: Query): Query {
  return async (text, values) => {
    const deadline = performance.now() + PATIENCE_MS;
    for (let attempt = 1; ; attempt++) {
      try {
        return await query(text, values);
      } catch (error) {
        if (!isContention(error) || performance.now() > deadline) throw error;
        // A random pause, so that the same transactions do not conflict again.
        await setTimeout(Math.random() * Math.min(attempt, MOST_PAUSE_MS));
      }
    }
  };
}

/** After how many uses a statement gets its second name, and the factor for each later one. */
const FIRST_USES = 64;
const USES_FACTOR = 4;

/**
 * Gives statements names where connections are known to be sessions. Each connection then parses and plans a statement once,
 * and planning is most of a short read. Stops for good when a session does not know a name that it was given.
 *
 * Postgres keeps a name's plan until the tables are analyzed, and the best plan for a young store reads whole tables. So a
 * statement gets a new name, and a new plan, each time its uses have grown by `USES_FACTOR`. The names of a connection grow
 * only with the logarithm of its uses.
 */
export function namingQueryOf(driver: PostgresDriver, isSession: () => boolean): Query {
  const statements = new Map<string, { name: string; uses: number; until: number }>();
  let keepsNames = true;

  function nameOf(text: string): string {
    const statement = statements.get(text) ?? { name: newName(), uses: 0, until: FIRST_USES };
    statements.set(text, statement);
    if (statement.uses === statement.until) {
      statement.name = newName();
      statement.until *= USES_FACTOR;
    }
    statement.uses += 1;
    return statement.name;
  }

  return async (text, values) => {
    if (keepsNames && isSession()) {
      try {
        return (await driver.query(text, values, { name: nameOf(text) })).rows;
      } catch (error) {
        if (!isStatementLost(error)) throw error;
        keepsNames = false;
      }
    }
    return (await driver.query(text, values)).rows;
  };
}

function newName(): string {
  return `run_events_${crypto.randomUUID()}`;
}
