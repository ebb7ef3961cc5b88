import { isTerminal } from "@tm/run-events-core";
import { type Head, nameKey, type Plain, type RunEventStore } from "@tm/run-events-core/store";
import type { Decision } from "../../../core/src/rules/decision.ts";
import { changeInSteps, type Holds, isUnchanged } from "./in-steps.ts";
import { mapChanges } from "./inner-store.ts";
import type { DataFault, Faults } from "./mutant.ts";

/** Commits in steps. If this holds, it does not compare what is there with what was seen. */
function unlessFor(
  isExempt: Holds,
  slow?: () => (decision: Decision<unknown>) => boolean,
): DataFault {
  return (data) =>
    changeInSteps(data, (...seen) => isExempt(...seen) || isUnchanged(...seen), slow?.());
}

/** Commits in steps, and moves no `revision` with such plain writes. */
function unmovedBy(isUnmoved: (plain: Plain) => boolean): DataFault {
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
    return { append: lagging.append, ...changeInSteps(lagging) };
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

/** Directs each call on a run to the one that another owner has under the same id. */
function byIdAlone(call: "append" | "change"): DataFault {
  return (data) => {
    const owners = new Map<string, string>();
    const own = <Name extends { readonly ownerId: string; readonly runId: string }>(
      name: Name,
    ): Name => ({ ...name, ownerId: owners.get(name.runId) ?? name.ownerId });
    const { change } = mapChanges(data, {
      commit(decision, { head }, { runId, ownerId }) {
        if (decision.after === null) owners.delete(runId);
        else if (head === null && !owners.has(runId)) owners.set(runId, ownerId);
        return decision;
      },
    });
    return call === "append"
      ? { change, append: (plains) => data.append(plains.map(own)) }
      : { change: (changes) => change(changes.map(own)) };
  };
}

/** Stores that commit what they should decide again, or decide about another run than the one that is named. */
export const changeFaults: Faults = {
  "S4 does not move the revision with a plain append": unmovedBy(({ events }) => events.length > 0),
  "S23 does not move the revision with a renewal": unmovedBy(({ events }) => events.length === 0),
  "S16 creates a run that was created since it looked": unlessFor(({ head }) => head === null),
  "S17 removes the run that has the id by now, also if it is another one": unlessFor(
    (_then, now, { after }) => after === null && now.head !== null,
    everyOtherRemoval,
  ),
  "S21 creates the run of a topic that another run has got since it looked": unlessFor(
    ({ head, ordinal }, now) => head === null && now.head === null && ordinal >= now.ordinal,
  ),
  "S21 claims a run that was claimed since it looked": unlessFor(
    ({ head }, _, { after }) =>
      head !== null && after != null && after.fence > head.fence && !isTerminal(after.runStatus),
  ),
  "S5 ends a run that was ended since it looked": unlessFor(
    ({ head }, _, { after }) => head !== null && after != null && isTerminal(after.runStatus),
  ),
  "W4 ignores the owner of a plain append": byIdAlone("append"),
  "S16 gives a run to a second owner": byIdAlone("change"),
  "S21 keeps a place until its run is removed": (data) => ({
    async change(changes) {
      const holders = new Map<unknown, Head | null>();
      for (const change of changes) {
        const { ownerId, topic = null } = change;
        if (topic === null) continue;
        const query = { ownerId, topic, runStatus: null, before: null, limit: 1 };
        holders.set(change, (await data.list(query))[0] ?? null);
      }
      return mapChanges(data, {
        see: (seen, change) =>
          seen.head === null && holders.has(change)
            ? { ...seen, holder: holders.get(change) ?? null }
            : seen,
      }).change(changes);
    },
  }),
};
