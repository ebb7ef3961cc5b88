import type { ConformanceCase } from "@tm/run-events-conformance";
import { type CrashHooks, runProcessConformance } from "@tm/run-events-conformance/processes";
import { mutantsOf } from "../mutants/mutant.ts";
import { connectionFaults } from "../processes/connection-mutants.ts";
import { crashFaults } from "../processes/crash-mutants.ts";
import { createRemoteDoors, NETWORK } from "../processes/remote-doors.ts";
import type { RemoteServer } from "../processes/remote-server.ts";
import { sharingFaults } from "../processes/sharing-mutants.ts";
import { startFaults } from "../processes/start-mutants.ts";
import { waitingFaults } from "../processes/waiting-mutants.ts";
import { casesOfClause, failuresInTurn, type MutantSuite } from "./mutant-suite.ts";

/**
 * All cases except those that lose connections, for a store with the fault of this mutant.
 * @param crashOf gets the newest server
 */
export function processCases(
  mutant: string | null,
  crashOf: ((server: () => RemoteServer) => CrashHooks) | null = null,
): readonly ConformanceCase[] {
  const { server, ...doors } = createRemoteDoors(mutant);
  const cases = runProcessConformance({
    ...doors,
    ...NETWORK,
    ...(crashOf === null ? {} : { crash: crashOf(server) }),
  });
  return cases.filter(({ name }) => !name.includes("connection"));
}

/** All cases that lose connections. */
export function connectionCases(mutant: string | null): readonly ConformanceCase[] {
  const cases = runProcessConformance({ ...createRemoteDoors(mutant), ...NETWORK, workers: 2 });
  return cases.filter(({ name }) => name.includes("connection"));
}

/** Broken stores that look whole to one process, or until it dies. */
export const processSuite: MutantSuite = {
  title: "Stores in many processes",
  mutants: [
    ...[crashFaults, sharingFaults, startFaults, waitingFaults].flatMap((faults) =>
      mutantsOf(faults, (_, mutant) => processCases(mutant)),
    ),
    ...mutantsOf(connectionFaults, (_, mutant) => connectionCases(mutant)),
  ].map(({ name, clause, cases }) => ({
    name,
    clause,
    judge: (isFound) => failuresInTurn(casesOfClause(cases(), clause), isFound),
  })),
};
