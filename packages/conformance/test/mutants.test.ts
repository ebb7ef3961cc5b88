import { describe, expect, it } from "vitest";
import { costs } from "../src/cases/costs.ts";
import { damages } from "../src/cases/damages.ts";
import { leftovers } from "../src/cases/leftovers.ts";
import { beneathDoors } from "./beneath-doors.ts";
import { follow } from "./http/follow.ts";
import { killerOf } from "./kills/kill-table.ts";
import { failuresInTurn, failuresAtOnce } from "./kills/mutant-suite.ts";
import { onFastClock } from "./kills/on-fast-clock.ts";
import { readerCases, readerSuite } from "./kills/reader-suite.ts";
import { serverCases, serverSuite } from "./kills/server-suite.ts";
import { storeCases, storeSuite } from "./kills/store-suite.ts";
import { sharedMemoryDoors } from "./shared-memory.ts";

const beneath = [...leftovers, ...costs, ...damages];

describe("the kit finds nothing in what the mutants break:", () => {
  it("the store", async () => {
    expect(await onFastClock(() => failuresAtOnce(storeCases(sharedMemoryDoors())))).toEqual([]);
  });

  it("a store beneath which it can look", async () => {
    const cases = storeCases(beneathDoors());
    expect(cases.map(({ name }) => name)).toEqual(
      expect.arrayContaining(beneath.map(({ name }) => name)),
    );
    // One of the cases turns `Date.now` back for a moment, which the others would notice beside it.
    expect(await onFastClock(() => failuresInTurn(cases))).toEqual([]);
  });

  it("the server", async () => {
    expect(await onFastClock(() => failuresInTurn(serverCases({})))).toEqual([]);
  });

  it("the reader", async () => {
    // Its own test has those that cut at every byte.
    const cases = readerCases(follow).filter(({ name }) => !name.includes("at any byte"));
    expect(await onFastClock(() => failuresInTurn(cases))).toEqual([]);
  });
});

describe.for([storeSuite, serverSuite, readerSuite])("$title", ({ title, mutants }) => {
  for (const { name, clause, judge } of mutants) {
    it(`${clause} finds one that ${name}`, async () => {
      const failed = (await judge()).map((failure) => failure.name);
      expect(failed).toContain(killerOf(title, name));
    });
  }
});
