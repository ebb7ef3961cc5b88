import {
  type Change,
  type Commit,
  type CompareAndSet,
  decideInRounds,
  decideOnce,
  inDoubt,
  type RunName,
} from "@tm/run-events-core/store";
import type { Query, Transact } from "./query.ts";
import type { RunChange } from "./run-changes.ts";
import { commitAll } from "./sql/commit.ts";
import { lockRuns } from "./sql/lock.ts";
import { seeRuns } from "./sql/see.ts";
import type { Statements } from "./sql/statements.ts";

/** After so many conflicts a change locks its run first, so that it comes to its turn. */
const MOST_CONFLICTS = 3;
/** A statement that removes runs ends with the run that reaches this many events, since others wait for it. */
const REMOVED_EVENTS = 10_000;

/**
 * Changes runs by compare-and-set, which takes two trips, and under a lock after `MOST_CONFLICTS` conflicts.
 * @param transact `null` where no other process reaches the database
 * @param onCommitted called with the runs that a commit has created, removed or appended to
 */
export function changeRuns<Answer>(
  query: Query,
  transact: Transact | null,
  sql: Statements,
  changes: readonly Change<Answer>[],
  onCommitted: (changes: readonly RunChange[]) => void,
): Promise<readonly Answer[]> {
  const by = (connection: Query, isHeld: boolean): CompareAndSet => ({
    see: (left) => seeRuns(connection, sql, left),
    commit: (commits) => commitSlices(connection, sql, commits, isHeld, onCommitted),
  });
  return decideInRounds(changes, (left, round) => {
    if (round <= MOST_CONFLICTS || transact === null) return decideOnce(left, by(query, false));
    return transact(async (connection) => {
      await lockRuns(connection, sql, left);
      return decideOnce(left, by(connection, true));
    });
  });
}

/** Commits decisions: one statement for all, unless they remove many events. */
async function commitSlices(
  query: Query,
  sql: Statements,
  commits: readonly Commit[],
  isHeld: boolean,
  onCommitted: (changes: readonly RunChange[]) => void,
): Promise<readonly boolean[]> {
  const committed: boolean[] = [];
  for (const slice of slicesOf(commits)) {
    const done = await commitAll(query, sql, slice, isHeld).catch((error: unknown) => {
      throw committed.includes(true) ? inDoubt(error) : error;
    });
    committed.push(...done);
    onCommitted(slice.flatMap((commit, at) => (done[at] === true ? changeBy(commit) : [])));
  }
  return committed;
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

/** What a commit notifies of: nothing if only a lease or an index has moved. */
export function changeBy({ change, seen, decision }: Commit): readonly RunChange[] {
  const { ownerId, runId }: RunName = change;
  const { after, events = [] } = decision;
  if (after === null || seen.head === null) return [{ ownerId, runId }];
  if (events.length === 0) return [];
  return [{ ownerId, runId, ordinal: after.ordinal, lastSequence: after.lastSequence }];
}
