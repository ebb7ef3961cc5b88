import { createMemoryStore } from "@tm/run-events-core";
import type { RunEventStore, StoreCapabilities } from "@tm/run-events-core/store";
import { sharedMemoryDoors } from "../shared-memory.ts";
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
    name: "forgets everything at close",
    clause: "S6",
    cases: () => storeCases({ prepare: () => null, open: () => doors.open(doors.prepare()) }),
  },
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
            append: (requests) =>
              store.append(requests.map((request) => ({ ...request, idempotencyKey: null }))),
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
    name: "declares that it is shared, and cannot be reopened",
    clause: "S6",
    cases: () => storeCases({ open: () => declaring(createMemoryStore(), { shared: true }) }),
  },
  {
    name: "declares that nothing outlives it, and can be reopened",
    clause: "S6",
    object: (object) => declaring(object, { durability: "memory", shared: false }),
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
    name: "appends at once what should join a transaction",
    clause: "S6",
    object: (object) =>
      Object.assign(
        { ...object },
        {
          async appendInTransaction({ runId }: { readonly runId: string }) {
            const end = { eventType: "TOKEN", payload: "null", phase: null };
            const asked = {
              ownerId: null,
              idempotencyKey: null,
              expectedSequence: null,
              appender: { by: "anybody" },
            } as const;
            await object.append([{ runId, events: [end], change: "started", ...asked }]);
          },
        },
      ),
  },
  {
    name: "can be migrated and not verified",
    clause: "S19",
    object: (object) => Object.assign({ ...object }, { migrate: async () => {} }),
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
    name: "fails when it is migrated again",
    clause: "S19",
    object(object) {
      let migrated = false;
      return migrating(object, async () => {
        if (migrated) throw new Error('relation "run" already exists');
        migrated = true;
      });
    },
  },
  {
    name: "loses its runs when it is migrated again",
    clause: "S19",
    object: (object, data) =>
      migrating(object, async () => {
        const end = { eventType: "RUN_CANCELLED", payload: "null", phase: null };
        const request = { runId: "run", ownerId: null, events: [end], change: "cancelled" };
        const asked = { idempotencyKey: null, expectedSequence: null, appender: { by: "anybody" } };
        await data.append([{ ...request, ...asked } as Parameters<typeof data.append>[0][number]]);
        await data.deleteRun("run", null);
      }),
  },
];
