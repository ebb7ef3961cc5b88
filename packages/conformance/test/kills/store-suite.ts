import { programs } from "../../src/cases/programs.ts";
import { races } from "../../src/cases/races.ts";
import { beneathDoors } from "../beneath-doors.ts";
import { leakingDoors } from "../leaking-doors.ts";
import { beneathFaults } from "../mutants/beneath-mutants.ts";
import { changeFaults } from "../mutants/change-mutants.ts";
import { closingFaults } from "../mutants/closing-mutants.ts";
import { commitFaults } from "../mutants/commit-mutants.ts";
import { dueIndexFaults } from "../mutants/due-index-mutants.ts";
import { durabilityFaults, migrationFaults } from "../mutants/durability-mutants.ts";
import { failureFaults } from "../mutants/failure-mutants.ts";
import { listFaults } from "../mutants/list-mutants.ts";
import {
  dataMutants,
  type Mutant,
  mutantsOf,
  objectMutants,
  storeCases,
} from "../mutants/mutant.ts";
import { notificationFaults } from "../mutants/notification-mutants.ts";
import { notificationObjectFaults } from "../mutants/notification-object-mutants.ts";
import { objectFaults } from "../mutants/object-mutants.ts";
import { payloadFaults } from "../mutants/payload-mutants.ts";
import { plainFaults } from "../mutants/plain-mutants.ts";
import { probeFaults } from "../mutants/probe-mutants.ts";
import { readFaults } from "../mutants/read-mutants.ts";
import { receiptFaults } from "../mutants/receipt-mutants.ts";
import { removalFaults } from "../mutants/removal-mutants.ts";
import { replicaFaults } from "../mutants/replica-mutants.ts";
import { sizeFaults } from "../mutants/size-mutants.ts";
import { takingFaults } from "../mutants/taking-mutants.ts";
import { timeFaults } from "../mutants/time-mutants.ts";
import { replicaDoors } from "../replica-doors.ts";
import { type Failure, failuresAtOnce, type MutantSuite } from "./mutant-suite.ts";
import { onFastClock } from "./on-fast-clock.ts";

const inData = [
  plainFaults,
  takingFaults,
  changeFaults,
  commitFaults,
  receiptFaults,
  removalFaults,
  payloadFaults,
  readFaults,
  timeFaults,
  listFaults,
  dueIndexFaults,
  notificationFaults,
  sizeFaults,
  probeFaults,
];
const inObjects = [notificationObjectFaults, objectFaults, closingFaults, migrationFaults];

const all: readonly Mutant[] = [
  ...inData.flatMap(dataMutants),
  ...inObjects.flatMap(objectMutants),
  ...mutantsOf(durabilityFaults, (cases) => cases()),
  ...mutantsOf(beneathFaults, (breakage) => storeCases(beneathDoors(breakage))),
  ...mutantsOf(failureFaults, (leak) => storeCases(leakingDoors(beneathDoors(), leak))),
  ...mutantsOf(replicaFaults, (onReplica) => storeCases(replicaDoors(onReplica))),
];

/** Broken stores. */
export const storeSuite: MutantSuite = {
  title: "Stores",
  mutants: all.map((mutant) => ({
    name: mutant.name,
    clause: mutant.clause,
    judge: () => onFastClock(() => judge(mutant)),
  })),
};

/** The failures of the cases of its clause. If there are none, those of the random programs and races, which try every clause at once. */
async function judge({ clause, cases: casesOf }: Mutant): Promise<readonly Failure[]> {
  const cases = casesOf();
  const failures = await failuresAtOnce(cases.filter((one) => one.clause === clause));
  if (failures.length > 0) return failures;
  const names = [...programs, ...races].map(({ name }) => name);
  return failuresAtOnce(cases.filter(({ name }) => names.includes(name)));
}
