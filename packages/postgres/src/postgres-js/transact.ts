import type { PostgresQueryable } from "../driver.ts";
import { isAnswer } from "../failure.ts";
import { ask } from "./ask.ts";
import type { PostgresJsSql } from "./driver.ts";
import { readingPhase } from "./reading-phase.ts";

/**
 * Runs work in a transaction of the store's own.
 *
 * A statement of a transaction that is sent after its connection broke ends the process, even the ROLLBACK that postgres.js sends after a
 * failure. For this reason the work stops once a statement got no answer, and `begin` rejects because of the connection. A connection cannot
 * break between an answer and the next statement as long as the work waits for nothing else.
 * @param work waits for nothing but its statements
 */
export async function transactOn<T>(
  sql: PostgresJsSql,
  work: (client: PostgresQueryable) => Promise<T>,
): Promise<T> {
  await readingPhase();
  const { promise: result, resolve } = Promise.withResolvers<T>();
  await sql.begin("isolation level read committed", async (transaction) => {
    const client: PostgresQueryable = {
      async query(text, values) {
        try {
          return await ask(transaction, text, values);
        } catch (error) {
          if (isAnswer(error)) throw error;
          return new Promise(() => {});
        }
      },
    };
    resolve(await work(client));
  });
  return result;
}
