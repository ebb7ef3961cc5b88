import { isTerminal } from "@tm/run-events-core";
import { nameKey, type ReadResult, type RunEventStore } from "@tm/run-events-core/store";
import { mapChanges, plainAlone, plainsEach } from "./inner-store.ts";
import type { Mutant } from "./mutant.ts";

/** Stores on common data whose objects go by what they know, when another object has changed it. */
export const objectMutants: readonly Mutant[] = [
  {
    name: "remembers that an owner has no runs until the same object creates one",
    clause: "S16",
    object(object) {
      const without = new Set<string>();
      return {
        ...object,
        change(changes) {
          for (const { ownerId } of changes) without.delete(ownerId);
          return object.change(changes);
        },
        async list(query) {
          if ("due" in query) return object.list(query);
          if (without.has(query.ownerId)) return [];
          const heads = await object.list(query);
          if (heads.length === 0 && query.before === null && query.runStatus === null) {
            without.add(query.ownerId);
          }
          return heads;
        },
      };
    },
  },
  {
    name: "appends by an inner id that it keeps when another object has removed the run",
    clause: "S17",
    object(object) {
      const ordinals = new Map<string, number>();
      return {
        ...object,
        ...plainsEach(async (plain) => {
          const query = { ...plain, since: 0, limit: 0, maxBytes: 1 };
          const [page = null] = await object.read([query]);
          const ordinal = page?.head.ordinal;
          const kept = ordinals.get(nameKey(plain)) ?? ordinal;
          if (kept !== undefined) ordinals.set(nameKey(plain), kept);
          if (kept === ordinal || page === null) return plainAlone(object, plain);
          // It is written to the run that is gone.
          const { head } = page;
          const lastSequence = head.lastSequence + plain.events.length;
          return { ...head, firstSequence: head.lastSequence + 1, lastSequence };
        }),
      };
    },
  },
  {
    name: "keeps the pages of a finished run that another object has removed",
    clause: "S17",
    object(object) {
      const pages = new Map<string, ReadResult>();
      return {
        ...object,
        read: (queries) =>
          Promise.all(
            queries.map(async (query) => {
              const id = JSON.stringify(query);
              const kept = pages.get(id);
              if (kept !== undefined) return structuredClone(kept);
              const [page = null] = await object.read([query]);
              if (page !== null && isTerminal(page.head.runStatus)) {
                pages.set(id, structuredClone(page));
              }
              return page;
            }),
          ),
        ...mapChanges(object, {
          commit(decision) {
            pages.clear();
            return decision;
          },
        }),
      };
    },
  },
  {
    name: "ends the subscriptions of all objects at the close of one",
    clause: "S18",
    ...endsAllSubscriptions(),
  },
];

function endsAllSubscriptions(): Pick<Mutant, "data" | "object"> {
  const ends = new WeakMap<RunEventStore, () => void>();
  return {
    data(data) {
      const stops = new Set<() => void>();
      const broken: RunEventStore = {
        ...data,
        subscribe(subject, onNotification) {
          const subscription = data.subscribe(subject, onNotification);
          stops.add(() => subscription.stop());
          return subscription;
        },
      };
      ends.set(broken, () => stops.forEach((stop) => stop()));
      return broken;
    },
    object: (object, data) => ({
      ...object,
      async close() {
        await object.close();
        ends.get(data)?.();
      },
    }),
  };
}
