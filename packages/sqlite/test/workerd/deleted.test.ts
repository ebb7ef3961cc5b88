import { oneTo } from "@tm/run-events-test-servers/requests";
import { expect, it } from "vitest";
import { startWorker } from "./start-worker.ts";

const { ask } = startWorker("deleted-worker.ts");

it("S20: after `deleteAll`, the store is unavailable for good, and a `migrate` begins again without runs", async () => {
  const gone = "store_unavailable";
  expect(await ask("deleteAll")).toEqual({
    gone: [gone, gone, gone, gone, gone, "not_found"],
    lastSequence: 1,
  });
});

it("S1: two stores on one storage number the events of a run without a gap, and join only their own transactions", async () => {
  expect(await ask("twoStores")).toEqual({
    landed: oneTo(20),
    other: expect.stringMatching(/^TypeError: Expected an open transaction/),
    undone: "Error: undone",
    lastSequence: 20,
  });
});

it("S1: an alarm that appends between two appends of a call gets the sequences in between", async () => {
  expect(await ask("alarm")).toEqual({ first: 1, between: [2, 3], last: 4 });
});
