import type { PostgresJsQuery } from "./driver.ts";
import { readingPhase } from "./reading-phase.ts";

/** How many queries may be late. The second one gets its answer if only one connection is broken. */
const MOST_LATE = 2;

/**
 * Gives queries a limit of time, which postgres.js does not have. A query whose limit has passed runs on, and keeps its connection: a
 * cancel names only the connection, and may hit the caller's next statement there. While two queries are late, no other one with a limit
 * is sent. So late queries do not take one connection of the caller after the other.
 */
export class TimedQueries {
  /** The queries that are late. They never reject. */
  readonly #late = new Set<Promise<unknown>>();

  /**
   * Waits for the rows of a query, which is sent once fewer than two queries are late.
   * @param ms the limit, in milliseconds, from this call
   * @throws Error with pg's message, once the limit has passed
   */
  async ask(send: () => PostgresJsQuery, ms: number): Promise<readonly unknown[]> {
    const limit = Promise.withResolvers<never>();
    // The limit may pass before it is awaited: while the program was busy, or its host had suspended it.
    limit.promise.catch(() => {});
    const timer = setTimeout(() => limit.reject(new Error("Query read timeout")), ms);
    try {
      while (this.#late.size >= MOST_LATE) await Promise.race([...this.#late, limit.promise]);
      await readingPhase();
      return await this.#inTime(send(), limit.promise);
    } finally {
      clearTimeout(timer);
    }
  }

  async #inTime(query: PostgresJsQuery, limit: Promise<never>): Promise<readonly unknown[]> {
    let isAnswered = false;
    const answered = query.then(
      () => (isAnswered = true),
      () => (isAnswered = true),
    );
    try {
      return await Promise.race([query, limit]);
    } finally {
      if (!isAnswered) this.#addLate(answered);
    }
  }

  #addLate(answered: Promise<unknown>): void {
    const late: Promise<unknown> = answered.then(() => this.#late.delete(late));
    this.#late.add(late);
  }
}
