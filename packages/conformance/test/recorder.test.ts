import { createMemoryStore, RunEventsError } from "@tm/run-events-core";
import { expect, it } from "vitest";
import { checkHistory } from "../src/history/check-history.ts";
import { createRecorder, readLogs } from "../src/history/recorder.ts";
import { type KitStore, kitStore } from "../src/kit-store.ts";
import { LONG_MS, SHORT_MS } from "../src/lease.ts";
import { createRun } from "../src/read-log.ts";
import { wrapStore } from "../src/wrap-store.ts";

/** A store that loses the answers to these calls. As its contract allows, the failures do not show that they may have landed. */
function losing(store: KitStore, calls: readonly ("claim" | "renew" | "release")[]): KitStore {
  async function lose(landing: Promise<unknown>): Promise<never> {
    await landing;
    throw new RunEventsError("store_unavailable", "The connection is lost.");
  }
  const lost: Partial<KitStore> = {
    claim: (request) => lose(store.claim(request)),
    renew: (request) => lose(store.renew(request)),
    release: (request) => lose(store.release(request)),
  };
  return wrapStore(store, Object.fromEntries(calls.map((call) => [call, lost[call]])));
}

it("a release whose answer is lost may have landed: a claim that is then granted breaks nothing", async () => {
  const store = kitStore(createMemoryStore());
  await createRun(store, "run");
  const recorder = createRecorder();
  const client = recorder.client("a", losing(store, ["release"]));
  const fence = await client.lease("run", "claim", null, LONG_MS);
  await client.lease("run", "release", fence, 0);
  await recorder.client("b", store).lease("run", "claim", null, LONG_MS);
  const { operations } = recorder;
  expect(operations.map((one) => one.kind !== "read" && one.result.outcome)).toEqual([
    "granted",
    "unknown",
    "granted",
  ]);
  expect(checkHistory({ operations, logs: await readLogs(store, ["run"]) })).toBe(null);
});

it("a renewal whose answer is lost may have landed, and a claim that is not `ambiguous` has not", async () => {
  const store = kitStore(createMemoryStore());
  await createRun(store, "run");
  const recorder = createRecorder();
  const fence = await recorder.client("a", store).lease("run", "claim", null, SHORT_MS);
  const client = recorder.client("b", losing(store, ["claim", "renew"]));
  await client.lease("run", "renew", fence, SHORT_MS);
  await client.lease("run", "claim", null, SHORT_MS);
  const outcomes = recorder.operations.map((one) => one.kind === "lease" && one.result.outcome);
  expect(outcomes).toEqual(["granted", "unknown", "failed"]);
});
