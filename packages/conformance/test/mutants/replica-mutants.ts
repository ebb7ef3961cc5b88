import { type OnReplica, replicaFailure } from "../replica-doors.ts";
import { mapChanges } from "./inner-store.ts";
import type { Faults } from "./mutant.ts";

/** Shared stores that are wrong only while their server is a replica. */
export const replicaFaults: Faults<OnReplica> = {
  "S7 lets a replica take a plain append": ({ append }) => ({ append }),
  "S7 answers a change that it cannot commit with what was decided": (replica) =>
    mapChanges(replica, { commit: () => ({}) }),
  "S7 answers that a plain append did not land, and lands it later": (_, master) => ({
    async append(plains) {
      await Promise.resolve();
      await master.append(plains);
      throw replicaFailure();
    },
  }),
  "S7 answers that a change was not committed, and commits it later": (_, master) => ({
    async change(changes) {
      await Promise.resolve();
      await master.change(changes);
      throw replicaFailure();
    },
  }),
  "S7 lists runs from a replica": ({ list }) => ({ list }),
};
