import { nameKey, type RunName } from "@tm/run-events-core/store";
import type { NewReceipt } from "../../../core/src/rules/decision.ts";
import { changeAlone, changesEach, headOf, mapChanges, mapEvents } from "./inner-store.ts";
import type { Mutant } from "./mutant.ts";

/** Stores that remove too much, or too little. */
export const removalMutants: readonly Mutant[] = [
  {
    name: "leaves the receipts of a removed run",
    clause: "S17",
    data(data) {
      const receipts = new Map<string, NewReceipt>();
      const keyOf = (name: RunName, key: string): string => `${nameKey(name)} ${key}`;
      const keep = (name: RunName, one: NewReceipt): void =>
        void receipts.set(keyOf(name, one.idempotencyKey), one);
      return {
        ...data,
        async append(plains) {
          const landings = await data.append(plains);
          plains.forEach((plain, at) => {
            const { idempotencyKey } = plain;
            const landing = landings[at] ?? null;
            if (idempotencyKey !== null && landing !== null) {
              keep(plain, { idempotencyKey, ...landing });
            }
          });
          return landings;
        },
        ...mapChanges(data, {
          see(seen, change) {
            const known = new Map(seen.receipts);
            for (const key of change.keys ?? []) {
              const receipt = receipts.get(keyOf(change, key));
              const events = [{ eventType: "TOKEN", payload: "null" }];
              if (receipt !== undefined && !known.has(key)) known.set(key, { ...receipt, events });
            }
            return { ...seen, receipts: known };
          },
          commit(decision, _, change) {
            for (const one of decision.receipts ?? []) keep(change, one);
            return decision;
          },
        }),
      };
    },
  },
  {
    name: "removes the events of all runs whose ids begin with the id",
    clause: "S17",
    data(data) {
      const emptied = new Set<number>();
      const ordinals = new Map<string, number>();
      return {
        ...data,
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
  },
  {
    name: "removes the runs of all owners that have the id",
    clause: "S16",
    data(data) {
      const owners = new Map<string, Set<string>>();
      return {
        ...data,
        ...changesEach(async (change) => {
          const { runId, ownerId } = change;
          const before = await headOf(data, change);
          const answer = await changeAlone(data, change);
          const all = owners.get(runId) ?? new Set();
          owners.set(runId, all.add(ownerId));
          if (before === null || (await headOf(data, change)) !== null) return answer;
          for (const other of all) {
            if (other === ownerId) continue;
            await data.change([
              { ownerId: other, runId, decide: () => ({ answer: null, after: null }) },
            ]);
          }
          return answer;
        }),
      };
    },
  },
];
