import { writeBlock } from "../readme-block.ts";
import { encodeKills, type Kill } from "./kill-table.ts";
import type { MutantSuite } from "./mutant-suite.ts";
import { processSuite } from "./process-suite.ts";
import { readerSuite } from "./reader-suite.ts";
import { serverSuite } from "./server-suite.ts";
import { storeSuite } from "./store-suite.ts";

/** A case is named only if it finds the mutant this often: most have inputs of chance. */
const ROUNDS = 3;

/** @throws Error that names the mutants which no case found in every round */
async function killsIn({ title, mutants }: MutantSuite): Promise<readonly Kill[]> {
  const kills: Kill[] = [];
  const survivors: string[] = [];
  for (const { name, clause, judge } of mutants) {
    const rounds: (readonly string[])[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      rounds.push((await judge()).map((failure) => failure.name));
    }
    const killer = rounds[0]?.find((one) => rounds.every((round) => round.includes(one)));
    if (killer === undefined) survivors.push(name);
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
