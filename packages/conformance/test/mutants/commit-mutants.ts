import { type Head, nameKey } from "@tm/run-events-core/store";
import { changeAlone, changesEach, eventsOf, mapChanges, mapReads } from "./inner-store.ts";
import type { DataFault, Faults } from "./mutant.ts";
import { turns } from "./turns.ts";

function withCommits(head: Head, change: (commits: readonly string[]) => readonly string[]): Head {
  const extra = JSON.parse(head.extra) as { readonly commits?: readonly string[] };
  return { ...head, extra: JSON.stringify({ ...extra, commits: change(extra.commits ?? []) }) };
}

function decidesAhead(aheadMs: number): DataFault {
  return (data) => mapChanges(data, { see: (seen) => ({ ...seen, nowMs: seen.nowMs + aheadMs }) });
}

/** Stores that commit only a part of what was decided, do not know what they have committed, or show decisions a wrong state. */
export const commitFaults: Faults = {
  "S5 keeps one receipt of those that were decided in one go": (data) =>
    mapChanges(data, {
      commit: ({ receipts = [], ...decision }) => ({
        ...decision,
        receipts: receipts.slice(0, 1),
      }),
    }),
  "S2 takes the answers of a call's changes for each other": (data) => ({
    change: async (changes) => (await data.change(changes)).toReversed(),
  }),
  "S21 decides by a clock that is -5000 ms ahead of the one that stamps plain appends":
    decidesAhead(-5_000),
  "S21 decides by a clock that is 5000 ms ahead of the one that stamps plain appends":
    decidesAhead(5_000),
  "S7 decides twice what it has committed if the answer is lost": (data) =>
    mapChanges(data, {
      see: (seen) => ({ ...seen, head: seen.head && withCommits(seen.head, () => []) }),
    }),
  "S7 knows no commit but the last of a run": (data) =>
    mapChanges(data, {
      commit: (decision) =>
        decision.after
          ? { ...decision, after: withCommits(decision.after, (commits) => commits.slice(-1)) }
          : decision,
    }),
  "S21 keeps of a run's attributes those alone that it had at its creation": (data) =>
    mapChanges(data, {
      commit(decision, { head }) {
        const { after } = decision;
        if (after == null || head === null) return decision;
        return { ...decision, after: { ...after, extra: head.extra } };
      },
    }),
  "S17 shows a decision a run that was removed"(data) {
    const removed = new Map<string, Head>();
    return mapChanges(data, {
      see: (seen, change) => ({
        ...seen,
        head: seen.head ?? removed.get(nameKey(change)) ?? null,
      }),
      commit(decision, { head }, change) {
        if (decision.after === null && head !== null) removed.set(nameKey(change), head);
        return decision;
      },
    });
  },
  "S17 leaves the events of a removed run for some turns"(data) {
    const left = new Map<string, Awaited<ReturnType<typeof eventsOf>>>();
    return {
      ...mapReads(data, (page, query) => ({
        ...page,
        events: [...(left.get(nameKey(query))?.slice(query.since) ?? []), ...page.events],
      })),
      ...changesEach(async (change) => {
        const name = nameKey(change);
        const events = await eventsOf(data, change);
        const removing = mapChanges(data, {
          commit(decision) {
            if (decision.after === null) left.set(name, events);
            return decision;
          },
        });
        const answer = await changeAlone(removing, change);
        if (!left.has(name)) return answer;
        await turns(20);
        left.delete(name);
        return answer;
      }),
    };
  },
};
