import type { PostgresNotification, PostgresPoolClient, PostgresStatement } from "../driver.ts";
import { sqlErrorOf } from "../sql-error.ts";
import type { ListeningClient, PostgresJsChannels } from "./channels.ts";
import type { PostgresJsQuery, PostgresJsSql } from "./driver.ts";
import { encodeValues } from "./list-literal.ts";

/** The codes of a server that takes no writes, or is not the primary. Its host name may lead to another server by now. */
const ELSEWHERE = new Set(["25006", "55000"]);
const LISTEN = /^LISTEN "(.+)"$/;

type Answer = { readonly rows: readonly unknown[] };
type OnNotification = (notification: PostgresNotification) => void;
type Callback = (error: Error | null, answer: Answer) => void;

/**
 * A client that sends each statement on a connection of postgres.js's choice. A failed statement closes no connection. Named statements
 * are prepared on each connection that needs them.
 */
export class PostgresJsClient implements PostgresPoolClient, ListeningClient {
  readonly #sql: PostgresJsSql;
  readonly #channels: PostgresJsChannels;
  #onNotification: OnNotification = () => {};
  #onEnd: () => void = () => {};

  constructor(sql: PostgresJsSql, channels: PostgresJsChannels) {
    this.#sql = sql;
    this.#channels = channels;
  }

  query(text: string, values?: unknown[]): Promise<Answer>;
  query(statement: PostgresStatement, callback: Callback): void;
  query(asked: string | PostgresStatement, more?: unknown): Promise<Answer> | void {
    if (typeof asked !== "string") {
      this.#run(asked).then(
        (answer) => (more as Callback)(null, answer),
        (error: Error) => (more as Callback)(error, { rows: [] }),
      );
      return;
    }
    const channel = LISTEN.exec(asked)?.[1];
    if (channel !== undefined) return this.#channels.join(channel, this).then(() => ({ rows: [] }));
    return this.#run({ text: asked, values: (more as unknown[] | undefined) ?? [] });
  }

  on(event: string, listener: (value: never) => void): void {
    if (event === "notification") this.#onNotification = listener as OnNotification;
    if (event === "end") this.#onEnd = listener as () => void;
  }

  removeListener(): void {}

  /** postgres.js keeps the connections, and closes broken ones. */
  release(): void {
    this.#channels.leave(this);
  }

  onNotification(notification: PostgresNotification): void {
    this.#onNotification(notification);
  }

  onLost(): void {
    this.#onEnd();
  }

  /** A statement with a name is prepared. Under another name, Postgres plans it again. */
  async #run({ name, text, values, query_timeout: ms }: PostgresStatement): Promise<Answer> {
    const named = name === undefined ? text : `/* ${name} */ ${text}`;
    const query = this.#sql.unsafe(named, encodeValues(values), { prepare: name !== undefined });
    try {
      return { rows: await (ms === undefined ? query : inTime(query, ms)) };
    } catch (error) {
      if (ELSEWHERE.has(sqlErrorOf(error).code)) void this.#sql.close?.();
      throw error;
    }
  }
}

/** Waits for the query's rows. After the limit it cancels the query and throws pg's error: postgres.js has no such limit. */
async function inTime(query: PostgresJsQuery, ms: number): Promise<readonly unknown[]> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    // Its `cancel()` would leave the rejection unhandled, which ends the process if the server cannot be reached.
    query.canceller?.(query).catch(() => {});
    late.reject(new Error("Query read timeout"));
  }, ms);
  try {
    return await Promise.race([query, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
