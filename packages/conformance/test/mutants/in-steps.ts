import type { RunEventStore, Seen } from "@tm/run-events-core/store";
import type { Decision } from "../../../core/src/rules/decision.ts";
import { changeAlone, changesEach, seeNow } from "./inner-store.ts";
import { turns } from "./turns.ts";

/** The time between the steps of a change. */
const TURNS = 1;
const SLOW_TURNS = 30;

/** Whether a commit may land: what was decided, by what was seen, and what is there now. */
export type Holds = (then: Seen, now: Seen, decision: Decision<unknown>) => boolean;

/** The condition of clause S21: the run is still as it was seen, and the topic of a new run still has no live run. */
export const isUnchanged: Holds = (then, now) => {
  if (then.head === null) {
    const isFree = then.holder !== null || now.holder === null;
    return now.head === null && isFree && now.ordinal <= then.ordinal;
  }
  return now.head?.ordinal === then.head.ordinal && now.head.revision === then.head.revision;
};

/**
 * A store that sees, decides and commits in steps, between which other calls come, as a store without locks does. It is right if `holds` is
 * {@link isUnchanged}.
 * @param isSlow whether more time passes before the commit of a decision
 */
export function changeInSteps(
  store: RunEventStore,
  holds: Holds = isUnchanged,
  isSlow: (decision: Decision<unknown>) => boolean = () => false,
): Pick<RunEventStore, "change"> {
  let lastOrdinal = 0;
  return changesEach(async (change) => {
    for (;;) {
      const there = await seeNow(store, change);
      if (there.head === null) lastOrdinal = Math.max(lastOrdinal + 1, there.ordinal);
      // No two creations get the same.
      const then = there.head === null ? { ...there, ordinal: lastOrdinal } : there;
      const { answer, ...decision } = change.decide(then);
      if (decision.after === undefined) return answer;
      await turns(isSlow({ answer, ...decision }) ? SLOW_TURNS : TURNS);
      const hasLanded = await changeAlone(store, {
        ...change,
        decide: (now): Decision<boolean> =>
          holds(then, now, { answer, ...decision })
            ? { ...decision, answer: true }
            : { answer: false },
      });
      if (hasLanded) return answer;
    }
  });
}
