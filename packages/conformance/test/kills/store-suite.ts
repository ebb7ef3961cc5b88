import { programs } from "../../src/cases/programs.ts";
import { races } from "../../src/cases/races.ts";
import { beneathMutants } from "../mutants/beneath-mutants.ts";
import { changeMutants } from "../mutants/change-mutants.ts";
import { closingMutants } from "../mutants/closing-mutants.ts";
import { dueIndexMutants } from "../mutants/due-index-mutants.ts";
import { commitMutants } from "../mutants/commit-mutants.ts";
import { durabilityMutants } from "../mutants/durability-mutants.ts";
import { failureMutants } from "../mutants/failure-mutants.ts";
import { handoverMutants } from "../mutants/handover-mutants.ts";
import { listMutants } from "../mutants/list-mutants.ts";
import { notificationMutants } from "../mutants/notification-mutants.ts";
import { objectMutants } from "../mutants/object-mutants.ts";
import { ownerMutants } from "../mutants/owner-mutants.ts";
import { payloadMutants } from "../mutants/payload-mutants.ts";
import { placeMutants } from "../mutants/place-mutants.ts";
import { plainMutants } from "../mutants/plain-mutants.ts";
import { probeMutants } from "../mutants/probe-mutants.ts";
import { raceMutants } from "../mutants/race-mutants.ts";
import { readMutants } from "../mutants/read-mutants.ts";
import { receiptMutants } from "../mutants/receipt-mutants.ts";
import { removalMutants } from "../mutants/removal-mutants.ts";
import { replicaMutants } from "../mutants/replica-mutants.ts";
import { sizeMutants } from "../mutants/size-mutants.ts";
import { subscriptionMutants } from "../mutants/subscription-mutants.ts";
import { takingMutants } from "../mutants/taking-mutants.ts";
import { timeMutants } from "../mutants/time-mutants.ts";
import { casesOf, type Mutant } from "../mutants/mutant.ts";
import { casesOfClause, type Failure, failuresAtOnce, type MutantSuite } from "./mutant-suite.ts";
import { onFastClock } from "./on-fast-clock.ts";

/** Broken stores. */
export const storeSuite: MutantSuite = {
  title: "Stores",
  mutants: [
    ...plainMutants,
    ...takingMutants,
    ...changeMutants,
    ...commitMutants,
    ...receiptMutants,
    ...removalMutants,
    ...payloadMutants,
    ...readMutants,
    ...timeMutants,
    ...ownerMutants,
    ...listMutants,
    ...subscriptionMutants,
    ...notificationMutants,
    ...handoverMutants,
    ...raceMutants,
    ...placeMutants,
    ...durabilityMutants,
    ...closingMutants,
    ...objectMutants,
    ...sizeMutants,
    ...dueIndexMutants,
    ...probeMutants,
    ...beneathMutants,
    ...failureMutants,
    ...replicaMutants,
  ].map((mutant) => ({
    name: mutant.name,
    clause: mutant.clause,
    judge: () => onFastClock(() => judge(mutant)),
  })),
};

/** What the cases of its clause find; if that is nothing, what the random programs find, which try every clause at once. */
async function judge(mutant: Mutant): Promise<readonly Failure[]> {
  const cases = casesOf(mutant);
  const failures = await failuresAtOnce(casesOfClause(cases, mutant.clause));
  if (failures.length > 0) return failures;
  const names = [...programs, ...races].map(({ name }) => name);
  return failuresAtOnce(cases.filter(({ name }) => names.includes(name)));
}
