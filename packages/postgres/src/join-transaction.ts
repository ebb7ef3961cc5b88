import {
  decideOnce,
  type JoinedAppend as JoinedAppendOfCore,
  nameKey,
  type planJoinedAppend,
} from "@tm/run-events-core/store";
import { changeBy } from "./change.ts";
import type { SchemaCheck } from "./check-schema.ts";
import type { PostgresQueryable } from "./driver.ts";
import { inDoubt, runStubborn, TransactionOver } from "./failure.ts";
import { queryOf } from "./query.ts";
import type { RunChange } from "./run-changes.ts";
import { encodeSave, isSave } from "./sql/commit.ts";
import { seeRuns } from "./sql/see.ts";
import type { Statements } from "./statements.ts";
import { takeTurn } from "./under-way.ts";

/** An append into the caller's own transaction. */
export interface JoinedAppend extends JoinedAppendOfCore {
  /** The connection that the transaction is open on. */
  readonly client: PostgresQueryable;
}

type JoinedChange = ReturnType<typeof planJoinedAppend>["change"];
type JoinedOutcome = ReturnType<JoinedChange["decide"]>["answer"];

/** The number of times that others of the same connection may be faster, or the decision too old when it arrives. */
const MOST_ROUNDS = 100;

/**
 * Appends inside the transaction that is open on the client. The first statement is sent before the call returns: it locks the run, and sets a
 * mark that is local to the transaction. The later ones do nothing without the mark, since the caller or an ORM may have rolled back before
 * they arrive, and another transaction may be open on the connection by then.
 *
 * An append that does not land waits for the others on the client: its caller rolls back next, and postgres.js never answers a statement that
 * comes just then.
 * Throws what the driver throws.
 * @param onCommitted called with the run if the append lands
 * @throws TypeError if the transaction is over, or none was open
 */
export async function joinTransaction(
  client: PostgresQueryable,
  change: JoinedChange,
  sql: Statements,
  check: SchemaCheck,
  onCommitted: (change: RunChange) => void,
): Promise<JoinedOutcome> {
  const turn = takeTurn(client, nameKey(change));
  const query = queryOf(client);
  const mark = crypto.randomUUID();
  let hasLanded = false;
  const marked: Parameters<typeof decideOnce>[1] = {
    /** Sees all receipts that landed before the lock. */
    async see(changes) {
      const seen = await seeRuns(query, { see: sql.seeJoined }, changes, [mark]);
      if (seen.length === 0) throw new TransactionOver();
      return seen;
    },
    /** If the driver gives up waiting for the answer, the append still lands if the caller commits. */
    async commit(commits) {
      const [commit] = commits;
      if (commit === undefined || !isSave(commit)) return [];
      const rows = await query(sql.saveJoined, [...encodeSave(commit), mark]).catch(inDoubt);
      hasLanded = rows.length > 0;
      if (hasLanded) changeBy(commit).forEach(onCommitted);
      return [hasLanded];
    },
  };
  try {
    await query(sql.lockJoined, [change.ownerId, change.runId, mark]);
    // On the pool, this would wait for a connection, and callers' transactions may have them all.
    if (!check.isVerified) await check.verify(query);
    await turn.before;
    for (let round = 0; round < MOST_ROUNDS; round++) {
      const decided = await decideOnce([change], marked);
      if (decided.has(change)) return decided.get(change) as JoinedOutcome;
    }
    throw runStubborn();
  } finally {
    turn.end();
    if (!hasLanded) await turn.others();
  }
}
