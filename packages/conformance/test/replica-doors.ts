import type { StoreDoors } from "@tm/run-events-conformance";
import { createMemoryStore, RunEventsError } from "@tm/run-events-core";
import type { RunEventStore } from "@tm/run-events-core/store";
import { wrapStore } from "../src/wrap-store.ts";
import { type SharedMemoryDoors, sharedMemoryDoors } from "./shared-memory.ts";

/**
 * What a store object does wrong while its server is a replica.
 * @param replica what the replica has: all that this object has written, and nothing of the others'
 * @param master what all objects write into
 * @param untilMaster resolves when its server is the master again
 */
export type OnReplica = (
  replica: RunEventStore,
  master: RunEventStore,
  untilMaster: () => Promise<void>,
) => Partial<RunEventStore>;

/** What a replica answers. */
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
    const refusing = wrapStore(master, {
      createRun: refuse,
      append: refuse,
      read: refuse,
      getRun: refuse,
      listRuns: refuse,
      deleteRun: refuse,
      claim: refuse,
      renew: refuse,
      release: refuse,
      listExpired: refuse,
      listIdle: refuse,
      purge: refuse,
      probe: refuse,
      ...onReplica(replica, master, () => state.isMaster.promise),
    });
    const now = (): RunEventStore => (state.isReplica ? refusing : master);

    /** What a call through this object writes is written to its replica, too. */
    async function write<T>(call: (store: RunEventStore) => Promise<T>): Promise<T> {
      if (state.isReplica) return call(refusing);
      const answer = await call(master);
      await call(replica);
      return answer;
    }

    const object = wrapStore(master, {
      // So core sends an append again if it may have landed.
      capabilities: { ...master.capabilities, losesAcknowledgements: true },
      createRun: (request) => write((store) => store.createRun(request)),
      append: (requests) => write((store) => store.append(requests)),
      claim: (request) => write((store) => store.claim(request)),
      renew: (request) => write((store) => store.renew(request)),
      release: (request) => write((store) => store.release(request)),
      deleteRun: (runId, ownerId) => write((store) => store.deleteRun(runId, ownerId)),
      purge: (request) => write((store) => store.purge(request)),
      read: (queries) => now().read(queries),
      getRun: (runId) => now().getRun(runId),
      listRuns: (query) => now().listRuns(query),
      listExpired: (query) => now().listExpired(query),
      listIdle: (query) => now().listIdle(query),
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
