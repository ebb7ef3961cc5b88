import type { PostgresPoolClient, PostgresStatement } from "../driver.ts";
import { ask } from "./ask.ts";
import { join, leave, type OnNotification } from "./channels.ts";
import type { PostgresJsSql } from "./driver.ts";
import { readingPhase } from "./reading-phase.ts";

const LISTEN = /^LISTEN "(.+)"$/;

type Answer = { readonly rows: readonly unknown[] };
type Callback = (error: Error | null, answer: Answer) => void;

/**
 * A client that sends each statement on a connection of postgres.js's choice. A failed statement closes no connection. Named statements
 * are prepared on each connection that needs them.
 */
export class PostgresJsClient implements PostgresPoolClient {
  readonly #sql: PostgresJsSql;
  #onNotification: OnNotification = () => {};

  constructor(sql: PostgresJsSql) {
    this.#sql = sql;
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
    if (channel !== undefined)
      return join(this.#sql, channel, this.#onNotification).then(() => ({ rows: [] }));
    return this.#run({ text: asked, values: (more as unknown[] | undefined) ?? [] });
  }

  on(event: string, listener: (value: never) => void): void {
    if (event === "notification") this.#onNotification = listener as OnNotification;
  }

  removeListener(): void {}

  /** postgres.js keeps the connections, and closes broken ones. */
  release(): void {
    leave(this.#sql, this.#onNotification);
  }

  /**
   * A statement with a name is prepared. Under another name, Postgres plans it again. One whose limit of time has passed runs on: a cancel
   * names only the connection, and may hit the caller's next statement there.
   */
  async #run({ name, text, values, query_timeout: ms }: PostgresStatement): Promise<Answer> {
    const named = name === undefined ? text : `/* ${name} */ ${text}`;
    const answer = readingPhase().then(() => ask(this.#sql, named, values, name !== undefined));
    return ms === undefined ? answer : atMost(ms, answer);
  }
}

/** Waits for an answer. @throws Error with pg's message, once the time has passed */
async function atMost(ms: number, answer: Promise<Answer>): Promise<Answer> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error("Query read timeout")), ms);
  try {
    return await Promise.race([answer, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
