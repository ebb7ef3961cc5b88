import type { Plain, RunEventStore } from "@tm/run-events-core/store";
import { type OnReplica, replicaDoors, replicaFailure } from "../replica-doors.ts";
import { type Mutant, storeCases } from "./mutant.ts";

interface ReplicaBreakage extends Pick<Mutant, "name" | "clause"> {
  readonly onReplica: OnReplica;
}

/** Appends that were refused, and land on the master all the same a moment later. */
function landLater(
  master: RunEventStore,
  plains: readonly Plain[],
  isAmbiguous: boolean,
): Promise<never> {
  const later = Promise.resolve().then(() => master.append(plains));
  return later.then(() => Promise.reject(replicaFailure(isAmbiguous)));
}

const BREAKAGES: readonly ReplicaBreakage[] = [
  {
    name: "lets a replica take a plain append",
    clause: "S7",
    onReplica: (replica) => ({ append: (plains) => replica.append(plains) }),
  },
  {
    name: "answers a change that it cannot commit with what was decided",
    clause: "S7",
    onReplica: (replica) => ({
      change: (changes) =>
        replica.change(
          changes.map((change) => ({
            ...change,
            decide: (seen) => ({ answer: change.decide(seen).answer }),
          })),
        ),
    }),
  },
  {
    name: "answers that a plain append did not land, and lands it later",
    clause: "S7",
    onReplica: (_, master) => ({ append: (plains) => landLater(master, plains, false) }),
  },
  {
    name: "answers that a change was not committed, and commits it later",
    clause: "S7",
    onReplica: (_, master) => ({
      async change(changes) {
        await Promise.resolve();
        await master.change(changes);
        throw replicaFailure();
      },
    }),
  },
  {
    name: "lists runs from a replica",
    clause: "S7",
    onReplica: (replica) => ({ list: (query) => replica.list(query) }),
  },
];

/** Shared stores that are wrong only while their server is a replica. */
export const replicaMutants: readonly Mutant[] = BREAKAGES.map(({ name, clause, onReplica }) => ({
  name,
  clause,
  cases: () => storeCases(replicaDoors(onReplica)),
}));
