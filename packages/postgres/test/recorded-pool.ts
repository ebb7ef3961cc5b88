import type pg from "pg";
import type { PostgresPool, PostgresPoolClient, PostgresStatement } from "../src/index.ts";

/** Part of the statement of a poll, and of no other. */
export const POLL = "AS q (run_id) JOIN";
/** Part of the statements that append, and of no others once the tables exist. */
export const APPEND = "INSERT INTO";

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
export interface RecordedPool extends Required<
  Pick<PostgresPool, "query" | "connect" | "options">
> {
  readonly sent: readonly SentStatement[];
  /** Records the statements that go through a connection too. */
  record(client: pg.PoolClient): PostgresPoolClient;
  /** How many of the statements contain the text. */
  count(text: string): number;
}

/**
 * @param beforeSend called with each statement, which waits for what it returns
 * @param onAnswer called with each statement that was answered: if it throws, the answer is lost
 */
export function recordPool(
  pool: pg.Pool,
  beforeSend: (statement: SentStatement) => Promise<void> | void = () => {},
  onAnswer: (statement: SentStatement) => void = () => {},
): RecordedPool {
  const sent: SentStatement[] = [];

  async function send(
    client: pg.PoolClient | null,
    statement: PostgresStatement,
  ): Promise<pg.QueryResult<object>> {
    const entry = { name: null, ...statement, client };
    sent.push(entry);
    await beforeSend(entry);
    const answer = await (client ?? pool).query<object>(statement);
    onAnswer(entry);
    return answer;
  }

  function recordClient(client: pg.PoolClient): PostgresPoolClient {
    /** As pg's: values and a promise, or a callback. */
    function query(statement: string | PostgresStatement, rest: unknown): unknown {
      if (typeof statement === "string") {
        return send(client, { text: statement, values: (rest ?? []) as unknown[] });
      }
      const callback = rest as (error: Error | null, answer?: pg.QueryResult<object>) => void;
      send(client, statement).then((answer) => callback(null, answer), callback);
      return undefined;
    }
    return {
      query: query as PostgresPoolClient["query"],
      on: client.on.bind(client) as PostgresPoolClient["on"],
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
