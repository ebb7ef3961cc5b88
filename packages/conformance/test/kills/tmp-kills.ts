import { findKiller } from "/work/wt/feed/packages/conformance/test/kills/find-killer.ts";
import { serverSuite } from "/work/wt/feed/packages/conformance/test/kills/server-suite.ts";
const out: Record<string, string | null> = {};
for (const m of serverSuite.mutants) {
  if (m.clause !== "W48") continue;
  out[m.name] = await findKiller(m);
  console.log(m.name, "=>", out[m.name]);
}
import { writeFileSync } from "node:fs";
writeFileSync("/tmp/kills.json", JSON.stringify(out));
process.exit();
