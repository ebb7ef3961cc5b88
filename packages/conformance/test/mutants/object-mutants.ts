import { isTerminal } from "@tm/run-events-core";
import { nameKey, type ReadResult, type RunEventStore } from "@tm/run-events-core/store";
import { aroundWrites, headOf, mapChanges, plainAlone, plainsEach } from "./inner-store.ts";
import type { Faults, ObjectFault } from "./mutant.ts";

/** The functions that stop the subscriptions of all objects, by the data that they share. */
const endsOf = new WeakMap<RunEventStore, Set<() => void>>();

/** Stores on common data whose objects go by what they know, when another object has changed it. */
export const objectFaults: Faults<ObjectFault> = {
  "S16 remembers that an owner has no runs until the same object creates one"(object) {
    const without = new Set<string>();
    return {
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
  "S17 appends by an inner id that it keeps when another object has removed the run"(object) {
    const ordinals = new Map<string, number>();
    return plainsEach(async (plain) => {
      const head = await headOf(object, plain);
      const kept = ordinals.get(nameKey(plain)) ?? head?.ordinal;
      if (kept !== undefined) ordinals.set(nameKey(plain), kept);
      if (head === null || kept === head.ordinal) return plainAlone(object, plain);
      // It is written to the run that is gone.
      const lastSequence = head.lastSequence + plain.events.length;
      return { ...head, firstSequence: head.lastSequence + 1, lastSequence };
    });
  },
  "S17 keeps the pages of a finished run that another object has removed"(object) {
    const pages = new Map<string, ReadResult>();
    return {
      read: (queries) =>
        Promise.all(
          queries.map(async (query) => {
            const id = JSON.stringify(query);
            const [page = null] = pages.has(id) ? [pages.get(id)] : await object.read([query]);
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
  "S4 shows a head and its events as they were when another object has written"(object) {
    const pages = new Map<string, ReturnType<RunEventStore["read"]>>();
    return {
      read(queries) {
        const id = JSON.stringify(queries);
        const kept = pages.get(id) ?? object.read(queries);
        pages.set(id, kept);
        return kept;
      },
      ...aroundWrites(object, (_, write) => {
        pages.clear();
        return write();
      }),
    };
  },
  "S18 ends the subscriptions of all objects at the close of one"(object, data) {
    const stops = endsOf.get(data) ?? new Set();
    endsOf.set(data, stops);
    return {
      subscribe(subject, onNotification) {
        const subscription = object.subscribe(subject, onNotification);
        stops.add(() => subscription.stop());
        return subscription;
      },
      async close() {
        await object.close();
        for (const stop of stops) stop();
      },
    };
  },
};
