import { appendMutants } from "../mutants/append-mutants.ts";
import { beneathMutants } from "../mutants/beneath-mutants.ts";
import { betweenMutants } from "../mutants/between-mutants.ts";
import { claimMutants } from "../mutants/claim-mutants.ts";
import { durabilityMutants } from "../mutants/durability-mutants.ts";
import { expiryMutants } from "../mutants/expiry-mutants.ts";
import { failureMutants } from "../mutants/failure-mutants.ts";
import { fenceNumberMutants } from "../mutants/fence-number-mutants.ts";
import { handoverMutants } from "../mutants/handover-mutants.ts";
import { idleMutants } from "../mutants/idle-mutants.ts";
import { inputMutants } from "../mutants/input-mutants.ts";
import { keyMutants } from "../mutants/key-mutants.ts";
import { leaseMutants } from "../mutants/lease-mutants.ts";
import { lifeMutants } from "../mutants/life-mutants.ts";
import { listMutants } from "../mutants/list-mutants.ts";
import { storeCases } from "../mutants/mutant.ts";
import { objectMutants } from "../mutants/object-mutants.ts";
import { outcomeMutants } from "../mutants/outcome-mutants.ts";
import { payloadMutants } from "../mutants/payload-mutants.ts";
import { probeMutants } from "../mutants/probe-mutants.ts";
import { raceMutants } from "../mutants/race-mutants.ts";
import { upkeepRaceMutants } from "../mutants/upkeep-race-mutants.ts";
import { readMutants } from "../mutants/read-mutants.ts";
import { replicaMutants } from "../mutants/replica-mutants.ts";
import { notificationMutants } from "../mutants/notification-mutants.ts";
import { sizeMutants } from "../mutants/size-mutants.ts";
import { subscriptionMutants } from "../mutants/subscription-mutants.ts";
import { placeMutants } from "../mutants/place-mutants.ts";
import { startMutants } from "../mutants/start-mutants.ts";
import { workerMutants } from "../mutants/worker-mutants.ts";
import { sharedMemoryDoors } from "../shared-memory.ts";
import { casesOfClause, failuresAtOnce, type MutantSuite } from "./mutant-suite.ts";
import { onFastClock } from "./on-fast-clock.ts";

/** Broken stores. */
export const storeSuite: MutantSuite = {
  title: "Stores",
  mutants: [
    ...appendMutants,
    ...outcomeMutants,
    ...payloadMutants,
    ...readMutants,
    ...listMutants,
    ...subscriptionMutants,
    ...handoverMutants,
    ...raceMutants,
    ...upkeepRaceMutants,
    ...lifeMutants,
    ...durabilityMutants,
    ...betweenMutants,
    ...keyMutants,
    ...objectMutants,
    ...notificationMutants,
    ...sizeMutants,
    ...leaseMutants,
    ...inputMutants,
    ...fenceNumberMutants,
    ...expiryMutants,
    ...idleMutants,
    ...claimMutants,
    ...workerMutants,
    ...startMutants,
    ...placeMutants,
    ...probeMutants,
    ...beneathMutants,
    ...failureMutants,
    ...replicaMutants,
  ].map((mutant) => ({
    name: mutant.name,
    clause: mutant.clause,
    judge() {
      const cases = mutant.cases?.() ?? storeCases(sharedMemoryDoors(mutant));
      return onFastClock(() => failuresAtOnce(casesOfClause(cases, mutant.clause)));
    },
  })),
};
