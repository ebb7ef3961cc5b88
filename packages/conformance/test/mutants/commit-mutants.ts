import { type Head, nameKey, type Seen } from "@tm/run-events-core/store";
import { turns } from "./turns.ts";
import { changeAlone, changesEach, eventsOf, mapChanges, mapReads } from "./inner-store.ts";
import type { Mutant } from "./mutant.ts";

/** Stores that commit only a part of what was decided, or show a decision what is not so. */
export const commitMutants: readonly Mutant[] = [
  {
    name: "keeps one receipt of those that were decided in one go",
    clause: "S5",
    data: (data) => ({
      ...data,
      ...mapChanges(data, {
        commit: ({ receipts = [], ...decision }) => ({
          ...decision,
          receipts: receipts.slice(0, 1),
        }),
      }),
    }),
  },
  {
    name: "takes the answers of a call's changes for each other",
    clause: "S2",
    data: (data) => ({
      ...data,
      change: async (changes) => (await data.change(changes)).toReversed(),
    }),
  },
  ...[-5_000, 5_000].map((aheadMs): Mutant => ({
    name: `decides by a clock that is ${aheadMs} ms ahead of the one that stamps plain appends`,
    clause: "S21",
    data: (data) => ({
      ...data,
      ...mapChanges(data, { see: (seen) => ({ ...seen, nowMs: seen.nowMs + aheadMs }) }),
    }),
  })),
  ...forgetful(),
];

function commitsOf({ extra }: Head): readonly string[] {
  return (JSON.parse(extra) as { readonly commits?: readonly string[] }).commits ?? [];
}

function withCommits(head: Head, commits: readonly string[]): Head {
  const extra = JSON.stringify({ ...(JSON.parse(head.extra) as object), commits });
  return { ...head, extra };
}

/** Stores that do not know their own commits, or the run that they have removed. */
function forgetful(): readonly Mutant[] {
  return [
    {
      name: "decides twice what it has committed if the answer is lost",
      clause: "S7",
      data: (data) => ({
        ...data,
        ...mapChanges(data, {
          see: (seen) => ({ ...seen, head: seen.head && withCommits(seen.head, []) }),
        }),
      }),
    },
    {
      name: "knows no commit but the last of a run",
      clause: "S7",
      data: (data) => ({
        ...data,
        ...mapChanges(data, {
          commit({ after, ...decision }) {
            if (after == null) return after === null ? { ...decision, after } : decision;
            return { ...decision, after: withCommits(after, commitsOf(after).slice(-1)) };
          },
        }),
      }),
    },
    {
      name: "shows a decision a run that was removed",
      clause: "S17",
      data(data) {
        const removed = new Map<string, Head>();
        const removing = mapChanges(data, {
          see: (seen: Seen, change) => {
            const head = seen.head ?? removed.get(nameKey(change)) ?? null;
            return { ...seen, head };
          },
          commit(decision, { head }, change) {
            if (decision.after === null && head !== null) removed.set(nameKey(change), head);
            return decision;
          },
        });
        return { ...data, ...removing };
      },
    },
    {
      name: "leaves the events of a removed run for some turns",
      clause: "S17",
      data(data) {
        const left = new Map<string, Awaited<ReturnType<typeof eventsOf>>>();
        return {
          ...data,
          ...mapReads(data, (page, query) => ({
            ...page,
            events: [...(left.get(nameKey(query))?.slice(query.since) ?? []), ...page.events],
          })),
          ...changesEach(async (change) => {
            const events = await eventsOf(data, change);
            let isRemoval = false;
            const removing = mapChanges(data, {
              commit(decision) {
                isRemoval = decision.after === null;
                if (isRemoval) left.set(nameKey(change), events);
                return decision;
              },
            });
            const answer = await changeAlone(removing, change);
            if (!isRemoval) return answer;
            await turns(20);
            left.delete(nameKey(change));
            return answer;
          }),
        };
      },
    },
  ];
}
