import type { Decision, Seen } from "../rules/decision.ts";
import { inDoubt } from "../rules/errors.ts";
import type { Head } from "../rules/head.ts";
import type { Change } from "./store.ts";

/** A decision that writes. */
export interface Commit<One extends Seen = Seen> {
  readonly change: Change<unknown>;
  readonly seen: One;
  readonly decision: Decision<unknown> & { readonly after: Head | null };
}

/** The functions with which a store changes runs by compare-and-set. */
export interface CompareAndSet<One extends Seen = Seen> {
  /** Sees what the decisions of these changes need, in their order. */
  see(changes: readonly Change<unknown>[]): Promise<readonly One[]>;
  /**
   * Commits each decision whose run is still as it was seen, by its `revision`, and whose topic's holder is the same, if it creates a run.
   * @returns whether each was committed, in their order
   */
  commit(commits: readonly Commit<One>[]): Promise<readonly boolean[]>;
}

/** The answers of those changes that were committed, or had nothing to commit. */
export type Decided = ReadonlyMap<Change<unknown>, unknown>;

/**
 * Changes runs in rounds. A round has the changes that are left, for example because others have written to their runs meanwhile.
 * @param decide one round, from the number 1 on. If it throws, so does the call: in doubt, once a round has committed something
 */
export async function decideChanges<Answer>(
  changes: readonly Change<Answer>[],
  decide: (left: readonly Change<unknown>[], round: number) => Promise<Decided>,
): Promise<readonly Answer[]> {
  const answers = new Map<Change<unknown>, unknown>();
  let left: readonly Change<unknown>[] = changes;
  for (let round = 1; left.length > 0; round++) {
    const decided = await decide(left, round).catch((error: unknown) => {
      throw answers.size === 0 ? error : inDoubt(error);
    });
    for (const [change, answer] of decided) answers.set(change, answer);
    left = left.filter((change) => !answers.has(change));
  }
  return changes.map((change) => answers.get(change) as Answer);
}

/** One round by compare-and-set: sees, decides and commits. */
export async function decideOnce<One extends Seen>(
  changes: readonly Change<unknown>[],
  compareAndSet: CompareAndSet<One>,
): Promise<Decided> {
  const seen = await compareAndSet.see(changes);
  const decided = new Map<Change<unknown>, unknown>();
  const commits: Commit<One>[] = [];
  changes.forEach((change, at) => {
    const one = seen[at];
    if (one === undefined) {
      throw new TypeError(
        "Expected the store to see each run, got fewer. Correct the store's adapter.",
      );
    }
    const decision = change.decide(one);
    const { after } = decision;
    if (after === undefined) decided.set(change, decision.answer);
    else commits.push({ change, seen: one, decision: { ...decision, after } });
  });
  const committed = commits.length === 0 ? [] : await compareAndSet.commit(commits);
  commits.forEach(({ change, decision }, at) => {
    if (committed[at] === true) decided.set(change, decision.answer);
  });
  return decided;
}
