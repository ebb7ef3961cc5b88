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
 * Appends inside the transaction that is open on the client, after the client's earlier appends. Of two at once, one could roll back to
 * a savepoint before what the other has appended.
 * Throws what the driver throws.
 * @param moved receives the run if the append lands
 */
export function joinTransaction(
  client: PostgresQueryable,
  sql: Statements,
  check: SchemaCheck,
  request: AppendRequest,
  moved: MovedRuns,
): Promise<AppendOutcome | undefined> {
  return inTurn(client, async () => {
    const query = queryOf(client);
    // On the pool, this would wait for a connection, and callers' transactions may have them all.
    if (!check.isVerified) await check.verify(query);
    const attempt: Query = (text, values) => withSavepoint(client, () => query(text, values));
    const [outcome] = await appendGroup(query, attempt, sql, [{ index: 0, request }], moved);
    return outcome;
  });
}

/** The last work on each client. None rejects. */
const LAST = new WeakMap<PostgresQueryable, Promise<unknown>>();

/** Does the work once the earlier work on the client is over. */
function inTurn<T>(client: PostgresQueryable, work: () => Promise<T>): Promise<T> {
  const done = (LAST.get(client) ?? Promise.resolve()).then(work);
  LAST.set(
    client,
    done.catch(() => {}),
  );
  return done;
}

/** The numbers of the savepoints that are set now. */
const SET = new Set<number>();

/**
 * Sends a statement after a savepoint, since a key that has landed before makes it fail. After a failed statement, a transaction takes
 * nothing but a rollback. No two savepoints have one name at a time: two clients of one transaction would roll back each other's appends
 * unseen. With other names, the transaction fails.
 */
async function withSavepoint<T>(client: PostgresQueryable, send: () => Promise<T>): Promise<T> {
  let number = 1;
  while (SET.has(number)) number += 1;
  SET.add(number);
  const name = `run_events_${number}`;
  try {
    await client.query(`SAVEPOINT ${name}`);
    try {
      const rows = await send();
      await client.query(`RELEASE SAVEPOINT ${name}`);
      return rows;
    } catch (error) {
      await client.query(`ROLLBACK TO SAVEPOINT ${name}`);
      await client.query(`RELEASE SAVEPOINT ${name}`);
      throw error;
    }
  } finally {
    SET.delete(number);
  }
}
