import { isTerminal } from "@tm/run-events-core";
import { type Head, nameKey, type Plain, type RunEventStore } from "@tm/run-events-core/store";
import type { Decision } from "../../../core/src/rules/decision.ts";
import { changeInSteps, type Holds, isUnchanged } from "./in-steps.ts";
import { mapChanges } from "./inner-store.ts";
import type { Mutant } from "./mutant.ts";

/** A store that commits in steps, and does not compare what is there with what was seen, if this is so. */
function unlessFor(
  isExempt: Holds,
  slow?: () => (decision: Decision<unknown>) => boolean,
): (data: RunEventStore) => RunEventStore {
  return (data) => ({
    ...data,
    ...changeInSteps(data, (...seen) => isExempt(...seen) || isUnchanged(...seen), slow?.()),
  });
}

/** A store that commits in steps, whose `revision` such plain writes do not move. */
function unmovedBy(isUnmoved: (plain: Plain) => boolean): (data: RunEventStore) => RunEventStore {
  return (data) => {
    /** By how much each run's revision should be higher. */
    const behind = new Map<string, number>();
    const shift = (head: Head, sign: 1 | -1): Head => ({
      ...head,
      revision: head.revision + sign * (behind.get(nameKey(head)) ?? 0),
    });
    const lagging: RunEventStore = {
      ...data,
      async append(plains) {
        const landings = await data.append(plains);
        plains.forEach((plain, at) => {
          const name = nameKey(plain);
          if ((landings[at] ?? null) !== null && isUnmoved(plain)) {
            behind.set(name, (behind.get(name) ?? 0) + 1);
          }
        });
        return landings;
      },
      ...mapChanges(data, {
        see: (seen) => (seen.head === null ? seen : { ...seen, head: shift(seen.head, -1) }),
        commit: ({ after, ...decision }) => ({
          ...decision,
          ...(after === undefined ? {} : { after: after && shift(after, 1) }),
        }),
      }),
    };
    return { ...lagging, ...changeInSteps(lagging) };
  };
}

/** Of removals that race, every other is slow. */
function everyOtherRemoval(): (decision: Decision<unknown>) => boolean {
  let removals = 0;
  return ({ after }) => {
    if (after === null) removals += 1;
    return after === null && removals % 2 === 0;
  };
}

const isCreation: Holds = ({ head }) => head === null;
const isClaim: Holds = ({ head }, _, { after }) =>
  head !== null && after != null && after.fence > head.fence && !isTerminal(after.runStatus);
const isEnd: Holds = ({ head }, _, { after }) =>
  head !== null && after != null && isTerminal(after.runStatus);

/** Stores that commit what they should decide again, or only a part of what was decided. */
export const changeMutants: readonly Mutant[] = [
  {
    name: "does not move the revision with a plain append",
    clause: "S4",
    data: unmovedBy(({ events }) => events.length > 0),
  },
  {
    name: "does not move the revision with a renewal",
    clause: "S23",
    data: unmovedBy(({ events }) => events.length === 0),
  },
  {
    name: "creates a run that was created since it looked",
    clause: "S16",
    data: unlessFor(isCreation),
  },
  {
    name: "removes the run that has the id by now, also if it is another one",
    clause: "S17",
    data: unlessFor(
      (_then, now, { after }) => after === null && now.head !== null,
      everyOtherRemoval,
    ),
  },
  {
    name: "creates the run of a topic that another run has got since it looked",
    clause: "S21",
    data: unlessFor(({ head, ordinal }, now) => {
      return head === null && now.head === null && ordinal >= now.ordinal;
    }),
  },
  {
    name: "claims a run that was claimed since it looked",
    clause: "S21",
    data: unlessFor(isClaim),
  },
  {
    name: "ends a run that was ended since it looked",
    clause: "S5",
    data: unlessFor(isEnd),
  },
];
