import {
  type Change,
  type Commit,
  decideChanges,
  decideOnce,
  type RunName,
} from "@tm/run-events-core/store";
import { inDoubt, isContention, runStubborn, storeFailure } from "./failure.ts";
import type { PostgresDriver } from "./driver.ts";
import { type Query, queryOf } from "./query.ts";
import type { RunChange } from "./run-changes.ts";
import { commitAll } from "./sql/commit.ts";
import { lockRuns } from "./sql/lock.ts";
import { seeRuns } from "./sql/see.ts";
import type { Statements } from "./statements.ts";

/** After this many conflicts a change locks its run first, so that it gets its turn. */
const MOST_CONFLICTS = 3;
/** After this many rounds other writers cannot be the cause of the conflicts. */
const MOST_ROUNDS = 100;
/** A statement that removes runs ends with the run that reaches this many events, since others wait for it. */
const REMOVED_EVENTS = 10_000;

type CompareAndSet = Parameters<typeof decideOnce>[1];
type Decided = ReturnType<typeof decideOnce>;
type Transact = NonNullable<PostgresDriver["transact"]>;
type OnCommitted = (changes: readonly RunChange[]) => void;

/**
 * Changes runs by compare-and-set, which takes two trips, and under a lock after `MOST_CONFLICTS` conflicts.
 * @param transact `null` where no other process reaches the database
 * @param onCommitted called with the runs that a commit has created, removed or appended to
 * @throws RunEventsError `store_unavailable`, `ambiguous` if some may have been committed
 */
export function changeRuns<Answer>(
  query: Query,
  transact: Transact | null,
  sql: Statements,
  changes: readonly Change<Answer>[],
  onCommitted: OnCommitted,
): Promise<readonly Answer[]> {
  async function decide(left: readonly Change<unknown>[], round: number): Decided {
    if (round > MOST_ROUNDS) throw runStubborn();
    if (round > MOST_CONFLICTS && transact !== null) {
      return decideLocked(transact, sql, left, onCommitted);
    }
    return decideOnce(left, {
      see: (asked) => seeRuns(query, sql, asked),
      commit: (commits) => commitSlices(query, sql, commits, onCommitted),
    });
  }
  return decideChanges(changes, (left, round) => decide(left, round).catch(inDoubt));
}

/** One round in a transaction that locks the runs first. If it is rolled back, since others are in the way after all, nothing is decided. */
async function decideLocked(
  transact: Transact,
  sql: Statements,
  left: readonly Change<unknown>[],
  onCommitted: OnCommitted,
): Decided {
  const committed: RunChange[] = [];
  const byLocks = (query: Query): CompareAndSet => ({
    see: (asked) => seeRuns(query, sql, asked),
    async commit(commits) {
      const done = await commitAll(query, sql, commits, true);
      committed.push(...changesBy(commits, done));
      return done;
    },
  });
  try {
    const decided = await transact(async (client) => {
      const query = queryOf(client);
      await lockRuns(query, sql, left);
      return decideOnce(left, byLocks(query));
    });
    onCommitted(committed);
    return decided;
  } catch (error) {
    if (isContention(error)) return new Map();
    throw error;
  }
}

/** Commits decisions: one statement for all, unless they remove many events. */
async function commitSlices(
  query: Query,
  sql: Statements,
  commits: readonly Commit[],
  onCommitted: OnCommitted,
): Promise<readonly boolean[]> {
  const committed: boolean[] = [];
  for (const slice of slicesOf(commits)) {
    const done = await commitAll(query, sql, slice, false).catch((error: unknown) => {
      throw committed.includes(true) ? storeFailure(error, true) : error;
    });
    committed.push(...done);
    onCommitted(changesBy(slice, done));
  }
  return committed;
}

function changesBy(commits: readonly Commit[], done: readonly boolean[]): readonly RunChange[] {
  return commits.flatMap((commit, at) => (done[at] === true ? changeBy(commit) : []));
}

function* slicesOf(commits: readonly Commit[]): Generator<readonly Commit[]> {
  let from = 0;
  let removed = 0;
  for (const [at, { seen, decision }] of commits.entries()) {
    if (decision.after === null) removed += seen.head?.lastSequence ?? 0;
    if (removed < REMOVED_EVENTS) continue;
    yield commits.slice(from, at + 1);
    from = at + 1;
    removed = 0;
  }
  if (from < commits.length) yield from === 0 ? commits : commits.slice(from);
}

/** The runs that a commit notifies of: none if only a lease or an index has moved. */
export function changeBy({ change, seen, decision }: Commit): readonly RunChange[] {
  const { ownerId, runId }: RunName = change;
  const { after, events = [] } = decision;
  if (after === null || seen.head === null) return [{ ownerId, runId }];
  if (events.length === 0) return [];
  return [{ ownerId, runId, ordinal: after.ordinal, lastSequence: after.lastSequence }];
}
