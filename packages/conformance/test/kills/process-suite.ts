import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { ConformanceCase } from "@tm/run-events-conformance";
import { type CrashHooks, runProcessConformance } from "@tm/run-events-conformance/processes";
import { openJournal } from "../processes/journal.ts";
import { processMutants } from "../processes/mutants.ts";
import type { JournalPlace } from "../processes/open-journal.ts";
import { casesOfClause, failuresInTurn, type MutantSuite } from "./mutant-suite.ts";

/** What node is told to run the sources. */
export const EXEC_ARGV: readonly string[] = ["-C", "@tm/source"];

/**
 * All cases for a store in a file, spoiled by the variant of this name.
 * @param crashOf is told where the file is
 */
export function processCases(
  mutant: string | null,
  crashOf: ((file: () => string) => CrashHooks) | null = null,
): readonly ConformanceCase[] {
  let file = "";
  return runProcessConformance<JournalPlace>({
    name: mutant ?? "journal",
    module: new URL("../processes/open-journal.ts", import.meta.url),
    async prepare() {
      file = join(await mkdtemp(join(tmpdir(), "run-events-kit-")), "kit.db");
      // A new file is not for many to begin at once.
      openJournal(file).close();
      return { mutant, file };
    },
    destroy: (place) => rm(dirname(place.file), { recursive: true }),
    ...(crashOf === null ? {} : { crash: crashOf(() => file) }),
    execArgv: EXEC_ARGV,
  });
}

/** Broken stores that look whole to one process, or until it dies. */
export const processSuite: MutantSuite = {
  title: "Stores in many processes",
  mutants: processMutants.map(({ name, clause }) => ({
    name,
    clause,
    judge: () => failuresInTurn(casesOfClause(processCases(name), clause)),
  })),
};
