import { type Head, nameKey, type RunName, type StoredEvent } from "@tm/run-events-core/store";
import type { NewReceipt } from "../../../core/src/rules/decision.ts";
import {
  changeAlone,
  changesEach,
  eventsOf,
  headOf,
  mapChanges,
  mapEvents,
  mapHeads,
  mapReads,
} from "./inner-store.ts";
import type { Mutant } from "./mutant.ts";

/** Stores that remove too much, or too little. */
export const removalMutants: readonly Mutant[] = [
  {
    name: "leaves the events of a removed run",
    clause: "S17",
    data(data) {
      const left = new Map<string, readonly StoredEvent[]>();
      return {
        ...data,
        ...mapReads(data, (page, query) => ({
          ...page,
          events: [...(left.get(nameKey(query))?.slice(query.since) ?? []), ...page.events],
        })),
        ...changesEach(async (change) => {
          const events = await eventsOf(data, change);
          const answer = await changeAlone(data, change);
          const isGone = events.length > 0 && (await headOf(data, change)) === null;
          if (isGone) left.set(nameKey(change), events);
          return answer;
        }),
      };
    },
  },
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
    name: "uses the ordinal of a removed run again",
    clause: "S17",
    data(data) {
      const shown = new Map<number, number>();
      const live = new Map<string, number>();
      const change = (head: Head): Head => {
        const ordinal = shown.get(head.ordinal) ?? Math.max(0, ...live.values()) + 1;
        shown.set(head.ordinal, ordinal);
        live.set(nameKey(head), ordinal);
        return { ...head, ordinal };
      };
      const seeing = mapChanges(data, {
        see: (seen) => seen,
        commit(decision, _, one) {
          if (decision.after === null) live.delete(nameKey(one));
          return decision;
        },
      });
      return { ...data, ...mapHeads(data, change), ...seeing };
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
  {
    name: "leaves a removed run in its owner's list",
    clause: "S17",
    data(data) {
      const left = new Map<string, Head>();
      return {
        ...data,
        ...mapChanges(data, {
          commit(decision, { head }, change) {
            if (decision.after === null && head !== null) left.set(nameKey(change), head);
            return decision;
          },
        }),
        async list(query) {
          const heads = await data.list(query);
          if ("due" in query || query.topic !== null) return heads;
          const gone = [...left.values()].filter(({ ownerId }) => ownerId === query.ownerId);
          return [...heads, ...gone]
            .toSorted((a, b) => b.ordinal - a.ordinal)
            .slice(0, query.limit);
        },
        read: async (queries) => {
          const pages = await data.read(queries);
          return pages.map((page, at) => {
            const query = queries[at];
            const head = query === undefined ? undefined : left.get(nameKey(query));
            const isList = query?.limit === 0 && head !== undefined;
            return page ?? (isList ? { head: { ...head, metadata: "null" }, events: [] } : null);
          });
        },
      };
    },
  },
];
