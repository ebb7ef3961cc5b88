import type { PostgresJsQuery, PostgresJsSql } from "./driver.ts";
import { readingPhase } from "./reading-phase.ts";

/** How many queries may be without an answer. The second one gets its answer if only one connection is broken. */
const MOST_OPEN = 2;

/**
 * Gives queries a limit of time, which postgres.js does not have. A query whose limit has passed runs on, and keeps its connection: a
 * cancel names only the connection, and may hit the caller's next statement there. While two queries have no answer, no other one with a
 * limit is sent. So a silent server does not get all connections of the caller, one after the other.
 */
export class TimedQueries {
  /** The queries without an answer. They never reject. */
  readonly #open = new Set<Promise<unknown>>();

  /**
   * Waits for the rows of a query, which is sent once fewer than two have no answer.
   * @param ms the limit, in milliseconds, from this call
   * @throws Error with pg's message, once the limit has passed
   */
  async ask(send: () => PostgresJsQuery, ms: number): Promise<readonly unknown[]> {
    const limit = Promise.withResolvers<never>();
    // The limit may pass before it is awaited: while the program was busy, or its host had suspended it.
    limit.promise.catch(() => {});
    const timer = setTimeout(() => limit.reject(new Error("Query read timeout")), ms);
    try {
      while (this.#open.size >= MOST_OPEN) await Promise.race([...this.#open, limit.promise]);
      return await Promise.race([this.#send(send), limit.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  #send(send: () => PostgresJsQuery): Promise<readonly unknown[]> {
    const rows = readingPhase().then(send);
    const end = (): void => void this.#open.delete(answered);
    const answered: Promise<unknown> = rows.then(end, end);
    this.#open.add(answered);
    return rows;
  }
}

const TIMED = new WeakMap<PostgresJsSql, TimedQueries>();

/** The queries with a limit of an `sql`. All its pools share them, since they share its connections. */
export function timedQueriesOf(sql: PostgresJsSql): TimedQueries {
  const timed = TIMED.get(sql) ?? new TimedQueries();
  TIMED.set(sql, timed);
  return timed;
}
