import type { DurableObjectStorage } from "@cloudflare/workers-types";
import { oneTo } from "@tm/run-events-test-servers/requests";
import { expect, expectTypeOf, it } from "vitest";
import type { SqliteObjectStorage } from "../../src/index.ts";
import { startWorker } from "./start-worker.ts";

const { ask, crash } = startWorker("object-worker.ts");

it("S6: the storage of an object declares what its confirmation means, and is not shared", async () => {
  expectTypeOf<DurableObjectStorage>().toExtend<SqliteObjectStorage>();
  expect(await ask("capabilities")).toMatchObject({
    durability: "power",
    shared: false,
    joinsTransaction: true,
  });
});

it("S6: an acknowledged append is there after the runtime was killed", async () => {
  await ask("append");
  await crash();
  expect(await ask("read")).toEqual(["kept"]);
});

it("S6: a write is acknowledged once the storage has confirmed it", async () => {
  expect(await ask("confirm")).toEqual(["confirmed", "acknowledged"]);
});

it("S2: an append that the database refuses half-way leaves nothing", async () => {
  expect(await ask("refuseHalfWay")).toEqual({
    code: "store_unavailable",
    events: 0,
    lastSequence: 0,
    firstSequence: 1,
  });
});

it("S2: in `transact`, a business row and its event are committed together, or not at all", async () => {
  expect(await ask("joinTransaction")).toEqual({
    answers: [1, "Error: no gold", 2],
    orders: [{ item: "tea" }, { item: "milk" }],
    events: [{ item: "tea" }, { item: "milk" }],
  });
});

it("a joined append outside of `transact`, and work that answers a promise, are TypeErrors", async () => {
  const outside = expect.stringMatching(/^TypeError: .* begin one with the store's `transact`\.$/);
  expect(await ask("outsideTransaction")).toEqual([
    outside,
    outside,
    expect.stringMatching(/^TypeError: Expected synchronous work, got a promise/),
  ]);
});

it("S20: after `deleteAll`, the store is unavailable, and a `migrate` begins again without runs", async () => {
  const missing = expect.stringMatching(/^RunEventsError: .*call `migrate\(\)`/);
  expect(await ask("deleteAll")).toEqual({
    gone: [missing, missing, missing, missing],
    lastSequence: 1,
  });
});

it("S1: two stores on one storage number the events of a run without a gap, and join only their own transactions", async () => {
  expect(await ask("twoStores")).toEqual({
    landed: oneTo(20),
    within: expect.stringMatching(/^TypeError: Expected an open transaction/),
    undone: "Error: undone",
    lastSequence: 20,
  });
});
