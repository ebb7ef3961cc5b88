import { setTimeout } from "node:timers/promises";
import type { PostgresPoolClient, PostgresQueryable, PostgresStatement } from "./driver.ts";
import { isContention, isStatementLost, keepsConnection, storeFailure } from "./failure.ts";

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

/** Runs one statement on a connection that was taken out of a pool. Throws what the driver throws. */
export type ClientQuery = (
  client: PostgresPoolClient,
  text: string,
  values: unknown[],
) => Promise<readonly unknown[]>;

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
export function namingQueryOf(isSession: () => boolean): ClientQuery {
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

  return async (client, text, values) => {
    if (keepsNames && isSession()) {
      try {
        return await askClient(client, { name: nameOf(text), text, values });
      } catch (error) {
        if (!isStatementLost(error)) throw error;
        keepsNames = false;
      }
    }
    return askClient(client, { text, values });
  };
}

function newName(): string {
  return `run_events_${crypto.randomUUID()}`;
}

/**
 * By callback: where pg makes a promise, V8 keeps each statement with its values until the next full collection. The heap
 * then grows several times as large.
 */
function askClient(
  client: PostgresPoolClient,
  statement: PostgresStatement,
): Promise<readonly unknown[]> {
  return new Promise((resolve, reject) => {
    client.query(statement, (error, answer) => {
      if (error) reject(error);
      else resolve(answer.rows);
    });
  });
}

/**
 * Runs statements on a pool's connections. Some statements are expected to fail at times, as an append whose key has landed
 * before. A pool's own `query` would close the connection at any failure.
 */
export function sturdyQueryOf(connect: Connect, clientQuery: ClientQuery): Query {
  return (text, values = []) => onClient(connect, (client) => clientQuery(client, text, values));
}

/** Runs statements on a pool's connections, each for this many milliseconds at most: then its connection is closed. */
export function timedQueryOf(connect: Connect, ms: number): Query {
  return (text, values = []) =>
    onClient(connect, (client) => askClient(client, { text, values, query_timeout: ms }));
}

/**
 * Takes a connection out of a pool. `onError` is called when it breaks, from the first moment: an error that a server sends in one
 * packet with an answer comes before the code that awaits the connection can listen. An error without a listener ends the process.
 */
export type Connect = (onError: () => void) => Promise<PostgresPoolClient>;

async function onClient<T>(
  connect: Connect,
  work: (client: PostgresPoolClient) => Promise<T>,
): Promise<T> {
  let isBroken = false;
  // A broken connection emits an error besides what its statement throws.
  const onError = (): void => {
    isBroken = true;
  };
  const client = await connect(onError).catch((error: unknown) => {
    // Without a connection, nothing was sent.
    throw storeFailure(error);
  });
  try {
    return await work(client);
  } catch (error) {
    isBroken ||= !keepsConnection(error);
    throw error;
  } finally {
    client.release(isBroken);
    client.removeListener("error", onError);
  }
}

/** Runs work in one transaction of its own, on one connection. */
export type Transact = <T>(work: (query: Query) => Promise<T>) => Promise<T>;

/** Runs transactions on a pool's connections. A failure to commit is in doubt as any other statement's. */
export function transactOf(connect: Connect): Transact {
  return (work) =>
    onClient(connect, async (client) => {
      const query: Query = (text, values = []) => askClient(client, { text, values });
      await query("BEGIN ISOLATION LEVEL READ COMMITTED");
      try {
        const result = await work(query);
        await query("COMMIT");
        return result;
      } catch (error) {
        // Fails only if the connection is broken, which ends the transaction as well.
        await query("ROLLBACK").catch(() => {});
        throw error;
      }
    });
}
