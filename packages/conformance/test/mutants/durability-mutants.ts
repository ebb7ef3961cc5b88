import { createMemoryStore } from "@tm/run-events-core";
import type { RunEventStore } from "@tm/run-events-core/store";
import type { StoreCapabilities } from "../../../core/src/store/store.ts";
import { OWNER } from "../../src/kit-store.ts";
import { sharedMemoryDoors } from "../shared-memory.ts";
import { mapChanges, mapPlains } from "./inner-store.ts";
import { type Mutant, storeCases } from "./mutant.ts";

const doors = sharedMemoryDoors();

function declaring(store: RunEventStore, declared: Partial<StoreCapabilities>): RunEventStore {
  return { ...store, capabilities: { ...store.capabilities, ...declared } };
}

function migrating(store: RunEventStore, migrate: () => Promise<void>): RunEventStore {
  return Object.assign({ ...store }, { migrate, verify: async () => {} });
}

/** Stores that keep less than they say, or cannot be migrated twice. */
export const durabilityMutants: readonly Mutant[] = [
  {
    name: "forgets its keys at close",
    clause: "S6",
    cases() {
      const opened = new WeakSet<RunEventStore>();
      return storeCases({
        prepare: doors.prepare,
        open(data) {
          const store = doors.open(data);
          if (!opened.has(data)) {
            opened.add(data);
            return store;
          }
          return {
            ...store,
            ...mapPlains(store, (plain) => ({ ...plain, idempotencyKey: null })),
            ...mapChanges(store, { see: (seen) => ({ ...seen, receipts: new Map() }) }),
          };
        },
      });
    },
  },
  {
    name: "declares that its data outlives a crash, and cannot be reopened",
    clause: "S6",
    cases: () =>
      storeCases({ open: () => declaring(createMemoryStore(), { durability: "process" }) }),
  },
  {
    name: "opens the same data for every test",
    clause: "S6",
    cases() {
      const data = doors.prepare();
      return storeCases({ prepare: () => data, open: doors.open });
    },
  },
  {
    name: "refuses the schema that it has made itself",
    clause: "S19",
    object: (object) =>
      Object.assign(
        migrating(object, async () => {}),
        {
          verify: () => Promise.reject(new Error("The schema is another.")),
        },
      ),
  },
  {
    name: "loses its runs when it is migrated again",
    clause: "S19",
    object: (object, data) =>
      migrating(object, async () => {
        const name = { runId: "run", ownerId: OWNER };
        await data.change([{ ...name, decide: () => ({ answer: null, after: null }) }]);
      }),
  },
];
