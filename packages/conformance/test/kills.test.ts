import fc from "fast-check";
import { expect, it } from "vitest";
import { encodeKills, type Kill, parseKills } from "./kills/kill-table.ts";
import { processSuite } from "./kills/process-suite.ts";
import { readerSuite } from "./kills/reader-suite.ts";
import { serverSuite } from "./kills/server-suite.ts";
import { storeSuite } from "./kills/store-suite.ts";
import { readBlock } from "./readme-block.ts";

const SUITES = [storeSuite, processSuite, serverSuite, readerSuite];

it("the README lists every mutant with its clause, each once, and no other", () => {
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
  const kill = fc
    .record({
      suite: fc.constantFrom("Stores", "Servers"),
      name: word,
      clause: fc.constantFrom("S1", "S10", "W22"),
      rest: word,
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
