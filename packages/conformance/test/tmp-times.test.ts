import { expect, it } from "vitest";
import { storeSuite } from "./kills/store-suite.ts";
import { failuresAtOnce } from "./kills/mutant-suite.ts";
import { onFastClock } from "./kills/on-fast-clock.ts";
import { storeCases } from "./mutants/mutant.ts";
import { sharedMemoryDoors } from "./shared-memory.ts";
it("memory passes", async () => {
  expect(await onFastClock(() => failuresAtOnce(storeCases(sharedMemoryDoors()).filter(c=>/S30|S9|S12|any program/.test(c.name))))).toEqual([]);
});
for (const { name, clause, judge } of storeSuite.mutants.filter((m) => m.clause === "S30"))
  it(name, async () => {
    console.log("KILL", name, "|", JSON.stringify((await judge()).map((f) => f.name)));
  });
