import { writeBlock } from "../docs-page.ts";
import { findKiller } from "./find-killer.ts";
import { encodeKills, type Kill } from "./kill-table.ts";
import type { MutantSuite } from "./mutant-suite.ts";
import { processSuite } from "./process-suite.ts";
import { readerSuite } from "./reader-suite.ts";
import { serverSuite } from "./server-suite.ts";
import { storeSuite } from "./store-suite.ts";

/** @throws Error that names the mutants which no case found in every round */
async function killsIn({ title, mutants }: MutantSuite): Promise<readonly Kill[]> {
  const kills: Kill[] = [];
  const survivors: string[] = [];
  for (const mutant of mutants) {
    const { name, clause } = mutant;
    const killer = await findKiller(mutant);
    if (killer === null) survivors.push(name);
    else kills.push({ suite: title, name, clause, killer });
  }
  if (survivors.length > 0) throw new Error(`${title} survived: ${survivors.join("; ")}.`);
  return kills;
}

const kills: Kill[] = [];
for (const suite of [storeSuite, processSuite, serverSuite, readerSuite]) {
  kills.push(...(await killsIn(suite)));
}
writeBlock("kills", encodeKills(kills));
// Some mutants hold on to what they have: that is what is wrong with them.
process.exit();
