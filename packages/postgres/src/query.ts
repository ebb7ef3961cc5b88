import type { PostgresPool, PostgresPoolClient, PostgresQueryable } from "./driver.ts";
import { isAnswer, isContention, isStatementLost, storeFailure } from "./failure.ts";

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
 * Runs statements that are expected to fail now and then, as an append whose key has landed before: a pool's own `query`
 * throws a connection away at any failure. Where connections are known to be sessions, statements have names, so that each
 * connection parses and plans them once; no more once a session turned out not to know a name that it was given.
 */
export function sturdyQueryOf(connect: Connect, isSession: () => boolean): Query {
  const names = new Map<string, string>();
  let keepsNames = true;

  function nameOf(text: string): string {
    const name = names.get(text) ?? `run_events_${crypto.randomUUID()}`;
    names.set(text, name);
    return name;
  }

  async function send(text: string, values: unknown[]): Promise<readonly unknown[]> {
    const isNamed = keepsNames && isSession();
    try {
      return await onClient(connect, (client) =>
        isNamed ? client.query({ name: nameOf(text), text, values }) : client.query(text, values),
      );
    } catch (error) {
      if (!isNamed || !isStatementLost(error)) throw error;
      keepsNames = false;
      return send(text, values);
    }
  }

  return (text, values = []) => send(text, values);
}

/** Takes a connection out of a pool. */
export type Connect = NonNullable<PostgresPool["connect"]>;

async function onClient(
  connect: Connect,
  work: (client: PostgresPoolClient) => ReturnType<PostgresQueryable["query"]>,
): Promise<readonly unknown[]> {
  const client = await connect().catch((error: unknown) => {
    // Whatever the reason, nothing was sent.
    throw storeFailure(error);
  });
  let isBroken = false;
  // A connection that breaks says so beside what its statement throws, and nobody else listens now.
  const onError = (): void => {
    isBroken = true;
  };
  client.on("error", onError);
  try {
    return (await work(client)).rows;
  } catch (error) {
    isBroken ||= !isAnswer(error);
    throw error;
  } finally {
    client.release(isBroken);
    client.removeListener("error", onError);
  }
}
