import { readBlock, writeBlock } from "../docs-page.ts";
import { findKiller } from "./find-killer.ts";
import { encodeKills, type Kill, parseKills } from "./kill-table.ts";
import { storeSuite } from "./store-suite.ts";
import { serverSuite } from "./server-suite.ts";
const clause = process.argv[2];
const found: Kill[] = [];
for (const suite of [storeSuite, serverSuite])
for (const m of suite.mutants.filter((x) => x.clause === clause)) {
  const killer = await findKiller(m);
  console.log(m.name, "=>", killer);
  if (killer !== null) found.push({ suite: suite.title, name: m.name, clause: m.clause, killer });
}
const kept = parseKills(readBlock("kills")).filter((k) => k.clause !== clause);
writeBlock("kills", encodeKills([...kept, ...found]));
process.exit();
