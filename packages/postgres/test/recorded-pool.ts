import type pg from "pg";
import type { PostgresNamedStatement, PostgresPool, PostgresPoolClient } from "../src/index.ts";

/** Part of the statement that looks for what no notification has said, and of no other. */
export const LOOK = "AS q (run_id) JOIN";
/** Part of the statements that append, and of no others once the tables are there. */
export const APPEND = "INSERT INTO";

/** A statement on its way to the server. */
export interface SentStatement {
  readonly text: string;
  /** `null` if it goes out without. */
  readonly name: string | null;
  readonly values: readonly unknown[];
  /** The connection that was taken out for it; `null` if the pool picks one. */
  readonly client: pg.PoolClient | null;
}

/** A pool that writes down what goes through it. */
export interface RecordedPool extends Required<PostgresPool> {
  readonly sent: readonly SentStatement[];
  /** Writes down what goes through a connection too. */
  record(client: pg.PoolClient): PostgresPoolClient;
  /** How many of the statements contain the text. */
  count(text: string): number;
}

/** @param beforeSend called with each statement, which waits for what it returns */
export function recordPool(
  pool: pg.Pool,
  beforeSend: (statement: SentStatement) => Promise<void> | void = () => {},
): RecordedPool {
  const sent: SentStatement[] = [];

  async function send(
    client: pg.PoolClient | null,
    statement: string | PostgresNamedStatement,
    values: unknown[] | undefined,
  ): Promise<pg.QueryResult<object>> {
    const named = typeof statement === "string" ? { name: null, text: statement } : statement;
    const entry = { values: values ?? [], ...named, client };
    sent.push(entry);
    await beforeSend(entry);
    return (client ?? pool).query(statement as string, values);
  }

  function recordClient(client: pg.PoolClient): PostgresPoolClient {
    return {
      query: (statement, values) => send(client, statement, values),
      on: client.on.bind(client) as PostgresPoolClient["on"],
      removeListener: (event, listener) => client.removeListener(event, listener),
      release: (destroy) => client.release(destroy),
    };
  }

  return {
    sent,
    count: (text) => sent.filter((statement) => statement.text.includes(text)).length,
    record: recordClient,
    query: (text, values) => send(null, text, values),
    connect(callback) {
      pool.connect((error, client) => {
        callback(error, client === undefined ? undefined : recordClient(client));
      });
    },
    options: pool.options,
  };
}
