import type { Decision, RunEventStore, Seen } from "@tm/run-events-core/store";
import { turns } from "../../src/turns.ts";
import { changeAlone, changesEach, seeNow } from "./inner-store.ts";

/** How long the steps of a change are apart. */
const TURNS = 3;

/** Whether a commit may land: what was decided, by what was seen, and what is there now. */
export type Holds = (then: Seen, now: Seen, decision: Decision<unknown>) => boolean;

/** What clause S21 asks for: the run is still as it was seen, and a new one's topic has no live run still. */
export const isUnchanged: Holds = (then, now) => {
  if (then.head === null) {
    const isFree = then.holder !== null || now.holder === null;
    return now.head === null && isFree && now.ordinal === then.ordinal;
  }
  return now.head?.ordinal === then.head.ordinal && now.head.revision === then.head.revision;
};

/**
 * A store that sees, decides and commits in steps, between which other calls come, as a store without locks does. It is right if `holds` is
 * {@link isUnchanged}.
 */
export function changeInSteps(
  store: RunEventStore,
  holds: Holds = isUnchanged,
): Pick<RunEventStore, "change"> {
  return changesEach(async (change) => {
    for (;;) {
      const then = await seeNow(store, change);
      const { answer, ...decision } = change.decide(then);
      if (decision.after === undefined) return answer;
      await turns(TURNS);
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
