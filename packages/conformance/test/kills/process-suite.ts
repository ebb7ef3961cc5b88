import type { ConformanceCase } from "@tm/run-events-conformance";
import { type CrashHooks, runProcessConformance } from "@tm/run-events-conformance/processes";
import { connectionMutants } from "../processes/connection-mutants.ts";
import { createJournalDoors } from "../processes/journal-doors.ts";
import { processMutants } from "../processes/mutants.ts";
import type { JournalPlace } from "../processes/open-journal.ts";
import type { RemotePlace } from "../processes/open-remote.ts";
import { createRemoteDoors } from "../processes/remote-doors.ts";
import {
  casesOfClause,
  failuresInTurn,
  type JudgedMutant,
  type MutantSuite,
} from "./mutant-suite.ts";

/**
 * All cases for a store in a file, spoiled by the variant of this name.
 * @param crashOf gets the path of the file
 */
export function processCases(
  mutant: string | null,
  crashOf: ((file: () => string) => CrashHooks) | null = null,
): readonly ConformanceCase[] {
  const { file, ...doors } = createJournalDoors(mutant);
  return runProcessConformance<JournalPlace>({
    ...doors,
    ...(crashOf === null ? {} : { crash: crashOf(file) }),
  });
}

/** All cases of lost connections for a store on a port, spoiled by the mutant of this name. */
export function connectionCases(mutant: string | null): readonly ConformanceCase[] {
  const cases = runProcessConformance<RemotePlace>(createRemoteDoors(mutant));
  return cases.filter(({ name }) => name.includes("connection"));
}

/** Broken stores that look whole to one process, or until it dies. */
export const processSuite: MutantSuite = {
  title: "Stores in many processes",
  mutants: [
    ...processMutants.map(({ name, clause }): JudgedMutant => ({
      name,
      clause,
      judge: (isFound) => failuresInTurn(casesOfClause(processCases(name), clause), isFound),
    })),
    ...connectionMutants.map(({ name, clause }): JudgedMutant => ({
      name,
      clause,
      judge: (isFound) => failuresInTurn(casesOfClause(connectionCases(name), clause), isFound),
    })),
  ],
};
