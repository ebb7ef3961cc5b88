import fc from "fast-check";
import { expect, it } from "vitest";
import { findKiller } from "./kills/find-killer.ts";
import { encodeKills, type Kill, parseKills } from "./kills/kill-table.ts";
import { failuresAtOnce, type Failure } from "./kills/mutant-suite.ts";
import { onFastClock } from "./kills/on-fast-clock.ts";
import { processSuite } from "./kills/process-suite.ts";
import { readerSuite } from "./kills/reader-suite.ts";
import { serverSuite } from "./kills/server-suite.ts";
import { storeSuite } from "./kills/store-suite.ts";
import { storeCases } from "./mutants/mutant.ts";
import { readBlock } from "./docs-page.ts";
import { sharedMemoryDoors } from "./shared-memory.ts";

const SUITES = [storeSuite, processSuite, serverSuite, readerSuite];

it("the docs list every mutant with its clause, each once, and no other", () => {
  const listed = parseKills(readBlock("kills")).map(({ suite, name, clause }) => ({
    suite,
    name,
    clause,
  }));
  const there = SUITES.flatMap(({ title: suite, mutants }) =>
    mutants.map(({ name, clause }) => ({ suite, name, clause })),
  );
  expect(listed).toHaveLength(there.length);
  expect(listed).toEqual(expect.arrayContaining(there));
});

it("the table of kills is read as it was written", () => {
  const word = fc.stringMatching(/^[a-z]([a-z `,]*[a-z])?$/);
  const killer = fc.stringMatching(/^[a-z]([a-z `,_]*[a-z_])?$/);
  const kill = fc
    .record({
      suite: fc.constantFrom("Stores", "Servers"),
      name: word,
      clause: fc.constantFrom("S1", "S10", "W22"),
      rest: killer,
    })
    .map(({ rest, ...one }): Kill => ({ ...one, killer: `${one.clause} ${rest}` }));
  fc.assert(
    fc.property(fc.uniqueArray(kill, { selector: ({ name }) => name }), (kills) => {
      const parsed = parseKills(encodeKills(kills));
      expect(parsed).toHaveLength(kills.length);
      expect(parsed).toEqual(expect.arrayContaining(kills));
    }),
  );
});

/** A failure of a case that draws its inputs, or of one that draws none. */
function failureOf(name: string, isRandom: boolean): Failure {
  return { name, message: "", isRandom };
}

it("a killer is the first case that always fails without a draw, at any place in the list", async () => {
  const cases = fc.uniqueArray(fc.record({ name: fc.string(), isRandom: fc.boolean() }), {
    selector: ({ name }) => name,
    minLength: 1,
  });
  await fc.assert(
    fc.asyncProperty(cases, async (all) => {
      const failures = all.map(({ name, isRandom }) => failureOf(name, isRandom));
      const killer = await findKiller({ judge: async () => failures });
      expect(killer).toBe((all.find(({ isRandom }) => !isRandom) ?? all[0])?.name);
    }),
  );
});

it("a case that draws its inputs is no killer if it misses one round of fifty", async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(49), async (missed) => {
      let round = 0;
      const judge = async () => (round++ === missed ? [] : [failureOf("drawn", true)]);
      expect(await findKiller({ judge })).toBeNull();
    }),
  );
});

it("a mutant that does not run is found by no case", async () => {
  const missing: { readonly append?: () => never } = {};
  const doors = sharedMemoryDoors({
    data: (data) => ({ ...data, append: async () => (missing.append as () => never)() }),
  });
  await expect(onFastClock(() => failuresAtOnce(storeCases(doors)))).rejects.toThrow(
    "Expected a mutant that runs",
  );
});

it("work that fails while the clock runs fails the same way", async () => {
  const failure = new Error("no");
  async function work(): Promise<never> {
    // The clock's own time: it passes as fast as the clock runs.
    await new Promise((resolve) => setTimeout(resolve, 25));
    throw failure;
  }
  await expect(onFastClock(work)).rejects.toBe(failure);
});
