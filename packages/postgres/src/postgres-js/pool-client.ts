import type { PostgresNotification, PostgresPoolClient, PostgresStatement } from "../driver.ts";
import { isElsewhere } from "../failure.ts";
import type { ListeningClient, PostgresJsChannels } from "./channels.ts";
import type { PostgresJsQuery, PostgresJsSql } from "./driver.ts";
import { endConnectionOf } from "./end-connection.ts";
import { encodeValues } from "./list-literal.ts";
import { readingPhase } from "./reading-phase.ts";
import { rowsOf } from "./rows.ts";
import type { TimedQueries } from "./timed-queries.ts";

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
  readonly #timed: TimedQueries;
  #onNotification: OnNotification = () => {};
  #onEnd: () => void = () => {};

  /** @param timed the queries with a limit of time, of all clients of a pool */
  constructor(sql: PostgresJsSql, channels: PostgresJsChannels, timed: TimedQueries) {
    this.#sql = sql;
    this.#channels = channels;
    this.#timed = timed;
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
    let query: PostgresJsQuery | undefined;
    const send = (): PostgresJsQuery =>
      (query = this.#sql.unsafe(named, encodeValues(values), { prepare: name !== undefined }));
    try {
      if (ms !== undefined) return { rows: rowsOf(await this.#timed.ask(send, ms)) };
      await readingPhase();
      return { rows: rowsOf(await send()) };
    } catch (error) {
      // The server's host name may lead to another server by now. If the connection is not found, the next statement on it fails, too.
      if (query !== undefined && isElsewhere(error))
        endConnectionOf(this.#sql, query).catch(() => {});
      throw error;
    }
  }
}
