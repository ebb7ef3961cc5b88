import type {
  AppendOutcome,
  AppendRequest,
  JoinedAppend as JoinedAppendOfCore,
} from "@tm/run-events-core/store";
import { appendGroup, type MovedRuns } from "./append.ts";
import type { SchemaCheck } from "./check-schema.ts";
import type { PostgresQueryable } from "./driver.ts";
import { type Query, queryOf } from "./query.ts";
import type { Statements } from "./sql/statements.ts";

/** An append into the caller's own transaction. */
export interface JoinedAppend extends JoinedAppendOfCore {
  /** The connection that the transaction is open on. */
  readonly client: PostgresQueryable;
}

/**
 * Appends inside the transaction that is open on the client. A savepoint precedes the statement, since a key that has landed
 * before makes it fail. After a failed statement, a transaction takes nothing but a rollback.
 * Throws what the driver throws.
 * @param moved receives the run if the append lands
 */
export async function joinTransaction(
  client: PostgresQueryable,
  sql: Statements,
  check: SchemaCheck,
  request: AppendRequest,
  moved: MovedRuns,
): Promise<AppendOutcome | undefined> {
  const query = queryOf(client);
  // On the pool, this would wait for a connection, and callers' transactions may have them all.
  if (!check.isVerified) await check.verify(query);
  const attempt: Query = async (text, values) => {
    await client.query("SAVEPOINT run_events");
    try {
      const rows = await query(text, values);
      await client.query("RELEASE SAVEPOINT run_events");
      return rows;
    } catch (error) {
      await client.query("ROLLBACK TO SAVEPOINT run_events");
      await client.query("RELEASE SAVEPOINT run_events");
      throw error;
    }
  };
  const [outcome] = await appendGroup(query, attempt, sql, [{ index: 0, request }], moved);
  return outcome;
}
