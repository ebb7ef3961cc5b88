import { createMemoryStore, RunEventsError } from "@tm/run-events-core";
import type { RunEventStore } from "@tm/run-events-core/store";
import { expect, it } from "vitest";
import { checkHistory } from "../src/history/check-history.ts";
import { namedEvent } from "../src/history/named-event.ts";
import { createRecorder, readLogs } from "../src/history/recorder.ts";
import { appendRequest } from "../src/append-request.ts";
import { bySweeper, SHORT_MS } from "../src/lease.ts";
import { createRun } from "../src/read-log.ts";

/** A store that loses the answers to these calls. As its contract allows, the failures do not show that they may have landed. */
function losing(store: RunEventStore, calls: readonly ("claim" | "renew" | "release")[]) {
  const lost = { ...store };
  for (const call of calls) {
    lost[call] = async (request: never) => {
      await store[call](request);
      throw new RunEventsError("store_unavailable", "The connection is lost.");
    };
  }
  return lost;
}

it("a release whose answer is lost may have landed: a sweeper that then ends the run breaks nothing", async () => {
  const store = createMemoryStore();
  await createRun(store, "run");
  const recorder = createRecorder();
  const client = recorder.client("a", losing(store, ["release"]));
  const fence = await client.lease("run", "claim", null, SHORT_MS);
  await client.lease("run", "release", fence, 0);
  await client.append([
    appendRequest("run", [namedEvent("RUN_FAILED", "end")], bySweeper("queued")),
  ]);
  const { operations } = recorder;
  expect(operations.map((one) => one.kind !== "read" && one.result.outcome)).toEqual([
    "granted",
    "unknown",
    "appended",
  ]);
  expect(checkHistory({ operations, logs: await readLogs(store, ["run"]) })).toBe(null);
});

it("a renewal whose answer is lost may have landed, and a claim that is not `ambiguous` has not", async () => {
  const store = createMemoryStore();
  await createRun(store, "run");
  const recorder = createRecorder();
  const fence = await recorder.client("a", store).lease("run", "claim", null, SHORT_MS);
  const client = recorder.client("b", losing(store, ["claim", "renew"]));
  await client.lease("run", "renew", fence, SHORT_MS);
  await client.lease("run", "claim", null, SHORT_MS);
  const outcomes = recorder.operations.map((one) => one.kind === "lease" && one.result.outcome);
  expect(outcomes).toEqual(["granted", "unknown", "failed"]);
});
