import type { StoreDoors } from "@tm/run-events-conformance";
import { createMemoryStore, RunEventsError } from "@tm/run-events-core";
import type { RunEventStore } from "@tm/run-events-core/store";
import { wrapInner } from "../src/wrap-store.ts";
import { mapChanges } from "./mutants/inner-store.ts";
import { type SharedMemoryDoors, sharedMemoryDoors } from "./shared-memory.ts";

/**
 * The fault of a store object while its server is a replica.
 * @param replica what the replica has: all that this object has written, and nothing of the others'
 * @param master what all objects write into
 * @param untilMaster resolves when its server is the master again
 */
export type OnReplica = (
  replica: RunEventStore,
  master: RunEventStore,
  untilMaster: () => Promise<void>,
) => Partial<RunEventStore>;

/** The failure with which a replica answers. */
export function replicaFailure(ambiguous = false): RunEventsError {
  const cause = new Error("READONLY");
  return new RunEventsError("store_unavailable", "It is a replica.", { cause, ambiguous });
}

type Restored = PromiseWithResolvers<void>;

async function refuse(): Promise<never> {
  throw replicaFailure();
}

/** Doors to store objects on common data, whose servers may become replicas that get nothing more. */
export function replicaDoors(
  onReplica: OnReplica = () => ({}),
): SharedMemoryDoors & Required<Pick<StoreDoors<RunEventStore>, "refuseWrites">> {
  const states = new WeakMap<RunEventStore, { isReplica: boolean; isMaster: Restored }>();

  function view(master: RunEventStore): RunEventStore {
    const state = { isReplica: false, isMaster: Promise.withResolvers<void>() };
    const replica = createMemoryStore();
    const refusing = wrapInner(master, {
      append: refuse,
      change: refuse,
      read: refuse,
      list: refuse,
      probe: refuse,
      ...onReplica(replica, master, () => state.isMaster.promise),
    });
    /** The master, whose changes the replica gets, too. */
    const writing = mapChanges(master, {
      commit(decision, _, { ownerId, runId }) {
        void replica.change([{ ownerId, runId, decide: () => ({ ...decision, answer: null }) }]);
        return decision;
      },
    });
    const now = (): RunEventStore => (state.isReplica ? refusing : master);

    const object = wrapInner(master, {
      // Then core sends an append again if it may have landed.
      capabilities: { ...master.capabilities, losesAnswers: true },
      async append(plains) {
        const landings = await now().append(plains);
        if (!state.isReplica) await replica.append(plains.filter((_, at) => landings[at] !== null));
        return landings;
      },
      change: (changes) => (state.isReplica ? refusing : writing).change(changes),
      read: (queries) => now().read(queries),
      list: (query) => now().list(query),
      probe: () => now().probe(),
    });
    states.set(object, state);
    return object;
  }

  return {
    ...sharedMemoryDoors({ object: view }),
    refuseWrites(_data, store) {
      const state = states.get(store);
      if (state === undefined) throw new TypeError("Expected a store of these doors.");
      state.isReplica = true;
      state.isMaster = Promise.withResolvers();
      return () => {
        state.isReplica = false;
        state.isMaster.resolve();
      };
    },
  };
}
