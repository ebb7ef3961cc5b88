import {
  type Change,
  type Commit,
  decideOnce,
  type JoinedAppend as JoinedAppendOfCore,
  nameKey,
  type planJoinedAppend,
  type RunName,
  type Seen,
} from "@tm/run-events-core/store";
import { changeBy } from "./change.ts";
import type { SchemaCheck } from "./check-schema.ts";
import type { PostgresQueryable } from "./driver.ts";
import { inDoubt, runStubborn, TransactionOver } from "./failure.ts";
import { type Query, queryOf } from "./query.ts";
import type { RunChange } from "./run-changes.ts";
import { type BigintColumn, headOf, type HeadRow } from "./sql/columns.ts";
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

type LockedRow = { readonly isHere: boolean; readonly nowMs: BigintColumn } & (
  | HeadRow
  | { readonly ordinal: null }
);

/** An append in the caller's transaction, on the run that it locks. */
class Joining {
  readonly #query: Query;
  readonly #sql: Statements;
  readonly #name: RunName;
  readonly #mark = crypto.randomUUID();
  #isMarked = false;

  constructor(query: Query, sql: Statements, name: RunName) {
    this.#query = query;
    this.#sql = sql;
    this.#name = name;
  }

  /**
   * Locks the run, and sets the mark if it is not set.
   * @returns what is seen of the run, but for receipts
   * @throws TransactionOver
   */
  async lock(): Promise<Seen> {
    const { ownerId, runId } = this.#name;
    const marking = this.#isMarked ? "" : "set";
    this.#isMarked = true;
    const [row] = (await this.#query(this.#sql.lockJoined, [
      ownerId,
      runId,
      this.#mark,
      marking,
    ])) as readonly LockedRow[];
    if (row?.isHere !== true) throw new TransactionOver();
    const head = row.ordinal === null ? null : headOf(row);
    return { head, receipts: new Map(), holder: null, nowMs: Number(row.nowMs), ordinal: 0 };
  }

  /** Sees the run with the receipts of the keys: all of those that landed before the lock. */
  async see(change: Change<unknown>): Promise<readonly Seen[]> {
    const seen = await seeRuns(this.#query, { see: this.#sql.seeJoined }, [change], [this.#mark]);
    if (seen.length === 0) throw new TransactionOver();
    return seen;
  }

  /** If the driver gives up waiting for the answer, the append still lands if the caller commits. */
  async commit(commits: readonly Commit[]): Promise<readonly boolean[]> {
    const [commit] = commits;
    if (commit === undefined || !isSave(commit)) return [];
    const values = [...encodeSave(commit), this.#mark];
    const rows = await this.#query(this.#sql.saveJoined, values).catch(inDoubt);
    return [rows.length > 0];
  }
}

/** How often a decision may be too old when it arrives. */
const MOST_TRIES = 3;

/**
 * Appends inside the transaction that is open on the client. The first statement is sent before the call returns, and sets a mark that is
 * local to the transaction. The later ones do nothing without the mark, since the caller or an ORM may have rolled back before they arrive,
 * and another transaction may be open on the connection by then.
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
  let hasLanded = false;
  try {
    const outcome = await appendInTurn(queryOf(client), change, {
      sql,
      check,
      before: turn.before,
      onCommitted,
    });
    hasLanded = outcome.outcome === "appended";
    return outcome;
  } finally {
    turn.end();
    if (!hasLanded) await turn.others();
  }
}

async function appendInTurn(
  query: Query,
  change: JoinedChange,
  {
    sql,
    check,
    before,
    onCommitted,
  }: {
    readonly sql: Statements;
    readonly check: SchemaCheck;
    readonly before: Promise<void> | undefined;
    readonly onCommitted: (change: RunChange) => void;
  },
): Promise<JoinedOutcome> {
  const joining = new Joining(query, sql, change);
  let locked = await joining.lock();
  // On the pool, this would wait for a connection, and callers' transactions may have them all.
  if (!check.isVerified) await check.verify(query);
  if (before !== undefined) {
    await before;
    locked = await joining.lock();
  }
  for (let tries = 0; tries < MOST_TRIES;) {
    const seen = locked;
    const decided = await decideOnce([change], {
      // Without a key there is no receipt to see.
      see: async () => (change.keys.length === 0 ? [seen] : joining.see(change)),
      async commit(commits) {
        const done = await joining.commit(commits);
        if (done.includes(true)) commits.flatMap(changeBy).forEach(onCommitted);
        return done;
      },
    });
    if (decided.has(change)) return decided.get(change) as JoinedOutcome;
    locked = await joining.lock();
    // If it has moved, another append of the transaction was faster, on another object for the same connection.
    if (locked.head?.revision === seen.head?.revision) tries += 1;
  }
  throw runStubborn();
}
