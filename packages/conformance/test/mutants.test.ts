import { describe, expect, it } from "vitest";
import { costs } from "../src/cases/costs.ts";
import { damages } from "../src/cases/damages.ts";
import { failures } from "../src/cases/failures.ts";
import { hours } from "../src/cases/hours.ts";
import { leftovers } from "../src/cases/leftovers.ts";
import { refusals } from "../src/cases/refusals.ts";
import { beneathDoors } from "./beneath-doors.ts";
import { follow } from "./http/follow.ts";
import { failuresInTurn, failuresAtOnce } from "./kills/mutant-suite.ts";
import { onFastClock } from "./kills/on-fast-clock.ts";
import { readerCases, readerSuite } from "./kills/reader-suite.ts";
import { serverCases, serverSuite } from "./kills/server-suite.ts";
import { storeSuite } from "./kills/store-suite.ts";
import { changeInSteps } from "./mutants/in-steps.ts";
import { storeCases } from "./mutants/mutant.ts";
import { type OnReplica, replicaDoors } from "./replica-doors.ts";
import { sharedMemoryDoors } from "./shared-memory.ts";

/** A random case that finds a fault also looks for the smallest input that shows it. */
const LIMIT_MS = 120_000;

const beneath = [...leftovers, ...costs, ...damages, ...hours, ...failures, ...refusals];

describe("the kit finds nothing in what the mutants break:", () => {
  it("the store", async () => {
    expect(await onFastClock(() => failuresAtOnce(storeCases(sharedMemoryDoors())))).toEqual([]);
  });

  it("a store that sees, decides and commits in steps", async () => {
    const doors = sharedMemoryDoors({ data: (data) => ({ ...data, ...changeInSteps(data) }) });
    expect(await onFastClock(() => failuresAtOnce(storeCases(doors)))).toEqual([]);
  });

  it("a store beneath which it can look", async () => {
    const cases = storeCases(beneathDoors());
    expect(cases.map(({ name }) => name)).toEqual(
      expect.arrayContaining(beneath.map(({ name }) => name)),
    );
    // One of the cases turns `Date.now` back for a moment, which the others would notice at the same time.
    expect(await onFastClock(() => failuresInTurn(cases))).toEqual([]);
  });

  it.each<[string, OnReplica]>([
    ["refuses calls", () => ({})],
    [
      "sends some of them on when it is the master again",
      (_, master, untilMaster) => ({
        append: async (plains) => untilMaster().then(() => master.append(plains)),
        change: async (changes) => untilMaster().then(() => master.change(changes)),
      }),
    ],
  ])("a shared store whose server is a replica for a while, and %s", async (_, onReplica) => {
    const cases = storeCases(replicaDoors(onReplica)).filter(({ clause }) => clause === "S7");
    expect(cases.map(({ name }) => name)).toContain(refusals.at(-1)?.name);
    expect(await onFastClock(() => failuresAtOnce(cases))).toEqual([]);
  });

  it("the server", async () => {
    expect(await onFastClock(() => failuresInTurn(serverCases({})))).toEqual([]);
  });

  it("a server with sessions of its own, over https", async () => {
    const cases = serverCases({ sessions: {} }).filter(({ clause }) => clause === "W29");
    expect(cases).toHaveLength(2);
    expect(await onFastClock(() => failuresInTurn(cases))).toEqual([]);
  });

  it("the reader", async () => {
    // Its own test has those that cut at every byte.
    const cases = readerCases(follow).filter(({ name }) => !name.includes("at any byte"));
    expect(await onFastClock(() => failuresInTurn(cases))).toEqual([]);
  });
});

describe.for([storeSuite, serverSuite, readerSuite])("$title", ({ mutants }) => {
  for (const { name, clause, judge } of mutants) {
    it(`${clause} finds one that ${name}`, { timeout: LIMIT_MS }, async () => {
      expect(await judge()).not.toEqual([]);
    });
  }
});
