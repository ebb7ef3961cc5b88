import type { Decision, Rule, Seen } from "./decision.ts";
import { dueMsAfter } from "./due.ts";
import { commitsAfter, type Head, headOf, type Run, runOf } from "./head.ts";

/**
 * Makes the decision of a change: the rule, with a memory of what it has decided before. A store decides again after a conflict, and after
 * a commit whose answer was lost; if one of these decisions has landed after all, its answer is given again, and nothing is written.
 *
 * The run remembers the ids of its last commits, so that this holds even if others have written to it since. A removal leaves nothing that
 * could remember it: if the run is gone and a removal was in doubt, the removal counts as landed.
 * @param newId makes an id for each decision that writes
 * @param isInDoubt whether a commit that was not answered may have landed. Otherwise no earlier decision has
 */
export function landOnce<Answer>(
  rule: Rule<Answer>,
  newId: () => string,
  isInDoubt: () => boolean = () => false,
): (seen: Seen) => Decision<Answer> {
  const decided = new Map<string, Answer>();
  let removal: { readonly ordinal: number; readonly answer: Answer } | null = null;
  return ({ head, ...rest }) => {
    const run = head === null ? null : runOf(head);
    const landed = run?.commits.findLast((id) => decided.has(id));
    if (landed !== undefined) return { answer: decided.get(landed) as Answer };
    const isRemoved = removal !== null && run?.ordinal !== removal.ordinal;
    if (removal !== null && isRemoved && isInDoubt()) return { answer: removal.answer };
    const decision = rule({ ...rest, head: run });
    const { answer, after, ...written } = decision;
    if (after === undefined) return { answer };
    if (after === null) {
      removal = run === null ? null : { ordinal: run.ordinal, answer };
      return { answer, after };
    }
    const id = newId();
    decided.set(id, answer);
    return { answer, ...written, after: committed(run, after, id, rest.nowMs) };
  };
}

/** The head to save. */
function committed(before: Run | null, after: Run, id: string, nowMs: number): Head {
  return headOf({
    ...after,
    revision: (before?.revision ?? 0) + 1,
    dueMs: dueMsAfter(before, after, nowMs),
    commits: commitsAfter(after.commits, id),
  });
}
