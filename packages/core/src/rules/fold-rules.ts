import type { Decision, NewReceipt, Rule, Seen } from "./decision.ts";
import { dueMsAfter } from "./due.ts";
import type { NewEvent } from "./event.ts";
import type { Run } from "./head.ts";
import type { KeptReceipt } from "./judge-append.ts";

/**
 * Makes one rule of several about the same run, as if they were decided one after the other, so that they are one commit. It ends with a
 * creation or a removal, since what comes after would have to see more than was asked for.
 * @returns a rule that answers the first of them, one at least
 */
export function foldRules<Answer>(rules: readonly Rule<Answer>[]): Rule<readonly Answer[]> {
  return (seen) => {
    const answers: Answer[] = [];
    const events: NewEvent[] = [];
    const receipts: NewReceipt[] = [];
    let now = seen;
    let after: Run | null | undefined;
    for (const rule of rules) {
      const decision = rule(now);
      answers.push(decision.answer);
      if (decision.after === undefined) continue;
      // The next rule has to see when the run is due, as after a commit.
      after = decision.after && {
        ...decision.after,
        dueMs: dueMsAfter(now.head, decision.after, now.nowMs),
      };
      events.push(...(decision.events ?? []));
      receipts.push(...(decision.receipts ?? []));
      if (after === null || now.head === null) break;
      now = seenAfter(now, now.head, after, decision);
    }
    return after === undefined ? { answer: answers } : { answer: answers, after, events, receipts };
  };
}

/** The state that the next rule sees after a decision. */
function seenAfter(
  seen: Seen<Run>,
  { lastSequence }: Run,
  head: Run,
  { events = [], receipts = [] }: Decision<unknown, Run>,
): Seen<Run> {
  if (receipts.length === 0) return { ...seen, head };
  const known = new Map<string, KeptReceipt>(seen.receipts);
  for (const { idempotencyKey, ...receipt } of receipts) {
    const from = receipt.firstSequence - lastSequence - 1;
    const its = events.slice(from, from + receipt.lastSequence - receipt.firstSequence + 1);
    known.set(idempotencyKey, { ...receipt, events: its });
  }
  return { ...seen, head, receipts: known };
}
