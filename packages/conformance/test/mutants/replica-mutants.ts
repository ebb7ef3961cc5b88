import type { AppendRequest, RunEventStore } from "@tm/run-events-core/store";
import { type OnReplica, replicaDoors, replicaFailure } from "../replica-doors.ts";
import { type Mutant, storeCases } from "./mutant.ts";

interface ReplicaBreakage extends Pick<Mutant, "name" | "clause"> {
  readonly onReplica: OnReplica;
}

/** Appends that were refused, and land on the master all the same a moment later. */
function landLater(
  master: RunEventStore,
  requests: readonly AppendRequest[],
  isAmbiguous: boolean,
): Promise<never> {
  const later = Promise.resolve().then(() => master.append(requests));
  return later.then(() => Promise.reject(replicaFailure(isAmbiguous)));
}

const BREAKAGES: readonly ReplicaBreakage[] = [
  {
    name: "lets a replica take an append",
    clause: "S7",
    onReplica: (replica) => ({ append: (requests) => replica.append(requests) }),
  },
  {
    name: "lets a replica take a creation",
    clause: "S7",
    onReplica: (replica) => ({ createRun: (request) => replica.createRun(request) }),
  },
  {
    name: "lets a replica take a claim",
    clause: "S7",
    onReplica: (replica) => ({ claim: (request) => replica.claim(request) }),
  },
  {
    name: "lets a replica take a renewal",
    clause: "S7",
    onReplica: (replica) => ({ renew: (request) => replica.renew(request) }),
  },
  {
    name: "lets a replica take a release",
    clause: "S7",
    onReplica: (replica) => ({ release: (request) => replica.release(request) }),
  },
  {
    name: "lets a replica take a deletion",
    clause: "S7",
    onReplica: (replica) => ({ deleteRun: (runId, ownerId) => replica.deleteRun(runId, ownerId) }),
  },
  {
    name: "lets a replica take a purge",
    clause: "S7",
    onReplica: (replica) => ({ purge: (request) => replica.purge(request) }),
  },
  {
    name: "answers that an append did not land, and lands it later",
    clause: "S7",
    onReplica: (_, master) => ({ append: (requests) => landLater(master, requests, false) }),
  },
  {
    name: "forgets the keys that core gives to appends which a replica refuses",
    clause: "S7",
    onReplica: (_, master) => ({
      append(requests) {
        const given = requests.filter(
          ({ idempotencyKey }) => idempotencyKey !== null && idempotencyKey !== "key",
        );
        const keyless = given.map((request) => ({ ...request, idempotencyKey: null }));
        return landLater(master, keyless, true);
      },
    }),
  },
  {
    name: "lets a claim that a replica refuses wait for ever",
    clause: "S7",
    onReplica: () => ({ claim: () => new Promise<never>(() => {}) }),
  },
  {
    name: "throws the driver's error for a release that a replica refuses",
    clause: "S7",
    onReplica: () => ({ release: () => Promise.reject(new Error("READONLY")) }),
  },
  {
    name: "reads heads from a replica",
    clause: "S10",
    onReplica: (replica) => ({ getRun: (runId) => replica.getRun(runId) }),
  },
  {
    name: "reads pages from a replica",
    clause: "S10",
    onReplica: (replica) => ({ read: (queries) => replica.read(queries) }),
  },
  {
    name: "lists runs from a replica",
    clause: "S10",
    onReplica: (replica) => ({ listRuns: (query) => replica.listRuns(query) }),
  },
  {
    name: "takes a run that a replica does not have for missing",
    clause: "S10",
    onReplica: (replica) => ({
      async append(requests) {
        const known = await Promise.all(requests.map(({ runId }) => replica.getRun(runId)));
        if (known.some((run) => run !== null)) throw replicaFailure();
        return requests.map(() => ({ outcome: "not_found" }));
      },
    }),
  },
  {
    name: "judges an expected sequence by a replica's head",
    clause: "S10",
    onReplica: (replica) => ({
      async append(requests) {
        const [request] = requests;
        const run = await replica.getRun(request?.runId ?? "");
        if (run === null || (request?.expectedSequence ?? null) === null) throw replicaFailure();
        const { lastSequence } = run;
        if (request?.expectedSequence === lastSequence) throw replicaFailure();
        return [{ outcome: "sequence_conflict", lastSequence }];
      },
    }),
  },
  {
    name: "answers that a run exists which only a replica still has",
    clause: "S10",
    onReplica: (replica) => ({
      async createRun(request) {
        const run = await replica.getRun(request.runId);
        if (run === null) throw replicaFailure();
        return { outcome: "existing", run };
      },
    }),
  },
  {
    name: "refuses to delete a run that a replica takes for a live one",
    clause: "S10",
    onReplica: (replica) => ({
      async deleteRun(runId) {
        const run = await replica.getRun(runId);
        if (run === null || run.finishedAtMs !== null) throw replicaFailure();
        return "active";
      },
    }),
  },
];

/** Shared stores that are wrong only while their server is a replica. */
export const replicaMutants: readonly Mutant[] = BREAKAGES.map(({ name, clause, onReplica }) => ({
  name,
  clause,
  cases: () => storeCases(replicaDoors(onReplica)),
}));
