import { changeAlone, changesEach, headOf, mapChanges, mapEvents } from "./inner-store.ts";
import type { Faults } from "./mutant.ts";

/** Stores that remove too much. */
export const removalFaults: Faults = {
  "S17 removes the events of all runs whose ids begin with the id"(data) {
    const emptied = new Set<number>();
    const ordinals = new Map<string, number>();
    return {
      ...mapEvents(data, (event, { ordinal }) => (emptied.has(ordinal) ? null : event)),
      ...mapChanges(data, {
        commit(decision, { head, ordinal }, { runId }) {
          if (head === null) ordinals.set(runId, ordinal);
          if (decision.after !== null) return decision;
          for (const [other, at] of ordinals) {
            if (other.startsWith(runId) && other !== runId) emptied.add(at);
          }
          return decision;
        },
      }),
    };
  },
  "S16 removes the runs of all owners that have the id"(data) {
    const owners = new Set<string>();
    return changesEach(async (change) => {
      const { runId, ownerId } = change;
      owners.add(ownerId);
      const before = await headOf(data, change);
      const answer = await changeAlone(data, change);
      if (before === null || (await headOf(data, change)) !== null) return answer;
      const decide = () => ({ answer: null, after: null });
      for (const other of owners) await data.change([{ ownerId: other, runId, decide }]);
      return answer;
    });
  },
};
