import type {
  AppendOutcome,
  AppendRequest,
  JoinedAppend as JoinedAppendOfCore,
} from "@tm/run-events-core/store";
import { appendGroup, type MovedRuns } from "./append.ts";
import type { SchemaCheck } from "./check-schema.ts";
import type { PostgresQueryable } from "./driver.ts";
import { inDoubt, TransactionOver } from "./failure.ts";
import { type Query, queryOf } from "./query.ts";
import type { Statements } from "./sql/statements.ts";

/** An append into the caller's own transaction. */
export interface JoinedAppend extends JoinedAppendOfCore {
  /** The connection that the transaction is open on. */
  readonly client: PostgresQueryable;
}

/** How many of the values of `appendToOne` name the run and the state that it has to be in. */
const RUN_VALUES = 4;

/**
 * Appends inside the transaction that is open on the client. The first statement is sent before the call returns, and sets a mark that is
 * local to the transaction. The later ones do nothing without the mark, since the caller or an ORM may have rolled back before they arrive,
 * and another transaction may be open on the connection by then.
 * Throws what the driver throws.
 * @param moved receives the run if the append lands
 * @throws TypeError if the transaction is over, or none was open
 */
export async function joinTransaction(
  client: PostgresQueryable,
  sql: Statements,
  check: SchemaCheck,
  request: AppendRequest,
  moved: MovedRuns,
): Promise<AppendOutcome | undefined> {
  const query = queryOf(client);
  const mark = crypto.randomUUID();
  let marking = "set";
  const lock = async (run: readonly unknown[]): Promise<boolean> => {
    const [row] = await query(sql.lockJoined, [...run, mark, marking]);
    marking = "";
    const { isHere, isHeld } = row as { readonly isHere: boolean; readonly isHeld: boolean };
    if (!isHere) throw new TransactionOver();
    return isHeld;
  };
  const attempt: Query = async (text, values = []) => {
    const run = values.slice(0, RUN_VALUES);
    const isHeld = await lock(run);
    // On the pool, this would wait for a connection, and callers' transactions may have them all.
    if (!check.isVerified) await check.verify(query);
    const append = [...values, mark, request.idempotencyKey];
    // If the driver gives up waiting for the answer, the append still lands if the caller commits.
    const rows = isHeld ? await query(text, append).catch(inDoubt) : [];
    // The statements that find out why nothing has landed may run only inside the transaction.
    if (rows.length === 0) await lock(run);
    return rows;
  };
  const joined = { ...sql, appendToOne: sql.appendJoined };
  const [outcome] = await appendGroup(query, attempt, joined, [{ index: 0, request }], moved);
  return outcome;
}
