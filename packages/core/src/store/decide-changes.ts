import type { Decision, Seen } from "../rules/decision.ts";
import type { Head } from "../rules/head.ts";
import type { Change } from "./contract.ts";

/** A decision that writes. */
export interface Commit {
  readonly change: Change<unknown>;
  readonly seen: Seen;
  readonly decision: Decision<unknown> & { readonly after: Head | null };
}

/** How a store changes runs by compare-and-set. */
export interface CompareAndSet {
  /** Sees what the decisions of these changes need, in their order. */
  see(changes: readonly Change<unknown>[]): Promise<readonly Seen[]>;
  /**
   * Commits each decision whose run is still as it was seen, by its `revision`, and whose topic's holder is the same, if it creates a run.
   * @returns whether each was committed, in their order
   */
  commit(commits: readonly Commit[]): Promise<readonly boolean[]>;
}

/**
 * Changes runs by compare-and-set: sees them, decides, commits, and begins again with those that others have written to meanwhile.
 * @param onConflict called before each round but the first, with its number: it may pause. If it throws, so does the call
 */
export async function decideChanges<Answer>(
  changes: readonly Change<Answer>[],
  { see, commit }: CompareAndSet,
  onConflict: (round: number) => Promise<void>,
): Promise<readonly Answer[]> {
  const answers = new Map<Change<unknown>, unknown>();
  let left: readonly Change<unknown>[] = changes;
  for (let round = 1; left.length > 0; round++) {
    if (round > 1) await onConflict(round);
    const seen = await see(left);
    const { commits, settled } = decideAll(left, seen);
    for (const [change, answer] of settled) answers.set(change, answer);
    const committed = commits.length === 0 ? [] : await commit(commits);
    commits.forEach(({ change, decision }, at) => {
      if (committed[at] === true) answers.set(change, decision.answer);
    });
    left = left.filter((change) => !answers.has(change));
  }
  return changes.map((change) => answers.get(change) as Answer);
}

/** Decides about runs that were seen: what is to be committed, and the answers of those that write nothing. */
export function decideAll(
  changes: readonly Change<unknown>[],
  seen: readonly Seen[],
): {
  readonly commits: readonly Commit[];
  readonly settled: ReadonlyMap<Change<unknown>, unknown>;
} {
  const commits: Commit[] = [];
  const settled = new Map<Change<unknown>, unknown>();
  changes.forEach((change, at) => {
    const one = seen[at];
    if (one === undefined) throw new TypeError("Expected what is seen of each run, got fewer.");
    const decision = change.decide(one);
    const { after } = decision;
    if (after === undefined) settled.set(change, decision.answer);
    else commits.push({ change, seen: one, decision: { ...decision, after } });
  });
  return { commits, settled };
}
