import type { ConformanceCase } from "@tm/run-events-conformance";
import { runHttpConformance } from "@tm/run-events-conformance/http";
import { memoryServerDoors, type ServerBreakage } from "../http/memory-server.ts";
import { answerMutants } from "../http/mutants/answer-mutants.ts";
import { deadlineMutants } from "../http/mutants/deadline-mutants.ts";
import { feedMutants } from "../http/mutants/feed-mutants.ts";
import { fenceMutants } from "../http/mutants/fence-mutants.ts";
import { hostMutants } from "../http/mutants/host-mutants.ts";
import { inputMutants } from "../http/mutants/input-mutants.ts";
import { leaseMutants } from "../http/mutants/lease-mutants.ts";
import { pageMutants } from "../http/mutants/page-mutants.ts";
import { requestMutants } from "../http/mutants/request-mutants.ts";
import { runsMutants } from "../http/mutants/runs-mutants.ts";
import { partsOf } from "../http/mutants/server-mutant.ts";
import { sessionMutants } from "../http/mutants/session-mutants.ts";
import { streamMutants } from "../http/mutants/stream-mutants.ts";
import { historyMutants } from "../http/mutants/history-mutants.ts";
import { sweepMutants } from "../http/mutants/sweep-mutants.ts";
import { tailMutants } from "../http/mutants/tail-mutants.ts";
import { startMutants } from "../http/mutants/start-mutants.ts";
import { topicMutants } from "../http/mutants/topic-mutants.ts";
import { workerMutants } from "../http/mutants/worker-mutants.ts";
import { casesOfClause, failuresInTurn, type MutantSuite } from "./mutant-suite.ts";
import { onFastClock } from "./on-fast-clock.ts";

/** All cases for one server. */
export function serverCases(breakage: ServerBreakage): readonly ConformanceCase[] {
  return runHttpConformance({ name: "mutant", ...memoryServerDoors(breakage) });
}

/** Broken servers. */
export const serverSuite: MutantSuite = {
  title: "Servers",
  mutants: Object.entries({
    ...requestMutants,
    ...answerMutants,
    ...topicMutants,
    ...inputMutants,
    ...workerMutants,
    ...startMutants,
    ...pageMutants,
    ...streamMutants,
    ...tailMutants,
    ...historyMutants,
    ...runsMutants,
    ...feedMutants,
    ...hostMutants,
    ...deadlineMutants,
    ...leaseMutants,
    ...fenceMutants,
    ...sweepMutants,
    ...sessionMutants,
  }).map(([title, breakage]) => {
    const { name, clause } = partsOf(title);
    const judge = () => failuresInTurn(casesOfClause(serverCases(breakage), clause));
    return { name, clause, judge: () => onFastClock(judge) };
  }),
};
