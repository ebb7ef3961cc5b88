import type pg from "pg";
import type { PgClient, PgPool, PgStatement } from "../src/index.ts";

/** Part of the statement of a poll, and of no other. */
export const POLL = "AS ordinal, r.last_sequence";
/** Part of the statements that may append, and of no others once the tables exist. */
export const APPEND = "INSERT INTO";
/** Part of the statements of a change that see runs, and of those that commit. */
export const SEE = "AS fresh";
export const COMMIT = "SET (revision";

/** A statement on its way to the server. */
export interface SentStatement {
  readonly text: string;
  /** `null` if it is sent without a name. */
  readonly name: string | null;
  readonly values: readonly unknown[];
  /** The connection that was taken out for the statement; `null` if the pool picks one. */
  readonly client: pg.PoolClient | null;
}

/** A pool that records the statements that go through it. */
export interface RecordedPool extends Required<Pick<PgPool, "query" | "connect" | "options">> {
  readonly sent: readonly SentStatement[];
  /** Records the statements that go through a connection too. */
  record(client: pg.PoolClient): PgClient;
  /** The number of statements that contain the text. */
  count(text: string): number;
}

/**
 * @param beforeSend called with each statement, which waits for what it returns
 * @param onAnswer called with each statement that was answered, and its rows: if it throws, the answer is lost
 */
export function recordPool(
  pool: pg.Pool,
  beforeSend: (statement: SentStatement) => Promise<void> | void = () => {},
  onAnswer: (statement: SentStatement, rows: Record<string, unknown>[]) => void = () => {},
): RecordedPool {
  const sent: SentStatement[] = [];

  async function send(
    client: pg.PoolClient | null,
    statement: PgStatement,
  ): Promise<pg.QueryResult<Record<string, unknown>>> {
    const entry = { ...statement, name: statement.name ?? null, client };
    sent.push(entry);
    await beforeSend(entry);
    const answer = await (client ?? pool).query<Record<string, unknown>>(statement);
    onAnswer(entry, answer.rows);
    return answer;
  }

  function recordClient(client: pg.PoolClient): PgClient {
    /** As pg's: values and a promise, or a callback. */
    function query(statement: string | PgStatement, rest: unknown): unknown {
      if (typeof statement === "string") {
        return send(client, { text: statement, values: (rest ?? []) as unknown[] });
      }
      const callback = rest as (error: Error | null, answer?: pg.QueryResult) => void;
      send(client, statement).then((answer) => callback(null, answer), callback);
      return undefined;
    }
    return {
      query: query as PgClient["query"],
      on: client.on.bind(client) as PgClient["on"],
      removeListener: (event, listener) => client.removeListener(event, listener),
      release: (destroy) => client.release(destroy),
    };
  }

  return {
    sent,
    count: (text) => sent.filter((statement) => statement.text.includes(text)).length,
    record: recordClient,
    query: (text, values = []) => send(null, { text, values }),
    connect(callback) {
      pool.connect((error, client) => {
        callback(error, client === undefined ? undefined : recordClient(client));
      });
    },
    options: pool.options,
  };
}
