import type { ConformanceCase } from "@tm/run-events-conformance";
import { createMemoryStore } from "@tm/run-events-core";
import type { RunEventStore } from "@tm/run-events-core/store";
import { OWNER } from "../../src/kit-store.ts";
import { sharedMemoryDoors } from "../shared-memory.ts";
import { mapChanges, mapPlains } from "./inner-store.ts";
import { type Faults, type ObjectFault, storeCases } from "./mutant.ts";

const { prepare, open } = sharedMemoryDoors();

/** Stores that keep less than they say. */
export const durabilityFaults: Faults<() => readonly ConformanceCase[]> = {
  "S6 forgets its keys at close"() {
    const opened = new WeakSet<RunEventStore>();
    return storeCases({
      prepare,
      open(data) {
        const store = open(data);
        const isFirst = !opened.has(data);
        opened.add(data);
        return {
          ...store,
          ...(!isFirst && {
            ...mapPlains(store, (plain) => ({ ...plain, idempotencyKey: null })),
            ...mapChanges(store, { see: (seen) => ({ ...seen, receipts: new Map() }) }),
          }),
        };
      },
    });
  },
  "S6 declares that its data outlives a crash, and cannot be reopened": () =>
    storeCases({
      open() {
        const store = createMemoryStore();
        return { ...store, capabilities: { ...store.capabilities, durability: "process" } };
      },
    }),
  "S6 opens the same data for every test"() {
    const data = prepare();
    return storeCases({ prepare: () => data, open });
  },
};

/** Stores that cannot be migrated twice. */
export const migrationFaults: Faults<ObjectFault> = {
  "S19 refuses the schema that it has made itself": () => ({
    migrate: async () => {},
    verify: () => Promise.reject(new Error("The schema is another.")),
  }),
  "S19 loses its runs when it is migrated again": (_, data) => ({
    async migrate() {
      const name = { runId: "run", ownerId: OWNER };
      await data.change([{ ...name, decide: () => ({ answer: null, after: null }) }]);
    },
    verify: async () => {},
  }),
};
