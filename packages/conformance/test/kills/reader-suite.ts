import type { ConformanceCase } from "@tm/run-events-conformance";
import { type Follow, runReaderConformance } from "@tm/run-events-conformance/http";
import { memoryServerDoors } from "../http/memory-server.ts";
import { readerMutants } from "../http/mutants/reader-mutants.ts";
import { partsOf } from "../http/mutants/server-mutant.ts";
import { casesOfClause, failuresInTurn, type MutantSuite } from "./mutant-suite.ts";
import { onFastClock } from "./on-fast-clock.ts";

/** All cases for one reader. */
export function readerCases(follow: Follow): readonly ConformanceCase[] {
  return runReaderConformance({ name: "mutant", follow, ...memoryServerDoors() });
}

/** Broken readers. */
export const readerSuite: MutantSuite = {
  title: "Readers",
  mutants: Object.entries(readerMutants).map(([title, follow]) => {
    const { name, clause } = partsOf(title);
    const judge = () => failuresInTurn(casesOfClause(readerCases(follow), clause));
    return { name, clause, judge: () => onFastClock(judge) };
  }),
};
