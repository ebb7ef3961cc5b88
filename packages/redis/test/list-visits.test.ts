import type { RunStatus } from "@tm/run-events-core";
import { type AppendRequest, changeOf } from "@tm/run-events-core/store";
import { appendOf, createOf, endOf, listIds, oneTo } from "@tm/run-events-test-servers/requests";
import { expect, it } from "vitest";
import { openServer, openStore } from "./opened.ts";

function batchOf(runId: string, eventType: string): AppendRequest {
  const events = [{ eventType, payload: "null", phase: null }];
  const by = eventType === "INPUT_RECEIVED" ? "input" : "anybody";
  return appendOf(runId, null, { events, change: changeOf(events), appender: { by } });
}

const ask = (runId: string): AppendRequest => batchOf(runId, "INPUT_REQUESTED");
const answer = (runId: string): AppendRequest => batchOf(runId, "INPUT_RECEIVED");
const keyOf = (status: RunStatus): string => `run-events:{owner:ada}:${status}`;

it("S27: an entry of an earlier visit that is removed late takes no later one away", async () => {
  const { redis, store } = await openStore(await openServer());
  await store.createRun(createOf("a"));
  await store.append([appendOf("a")]);
  const [first = ""] = await redis.zrange(keyOf("running"), "0", "-1");
  for (let turn = 0; turn < 3; turn++) {
    await store.append([ask("a")]);
    const [waiting = ""] = await redis.zrange(keyOf("waiting"), "0", "-1");
    expect(await listIds(store, "waiting")).toEqual(["a"]);
    await store.append([answer("a")]);
    // As a process would that has made the run wait, and comes to the removal only now.
    await redis.zrem(keyOf("running"), first);
    await redis.zrem(keyOf("waiting"), waiting);
    expect(await listIds(store, "running")).toEqual(["a"]);
    expect(await listIds(store, "waiting")).toEqual([]);
    expect(await listIds(store, "live")).toEqual(["a"]);
  }
});

it("S12, S27: a run that waited has one entry, and none after its end and its removal", async () => {
  const { redis, store } = await openStore(await openServer());
  for (const runId of ["a", "b"]) {
    await store.createRun(createOf(runId));
    for (let turn = 0; turn < 3; turn++) await store.append([ask(runId), appendOf(runId)]);
    for (let turn = 0; turn < 3; turn++) {
      await store.append([answer(runId)]);
      await store.append([ask(runId)]);
    }
  }
  const sizes = (): Promise<readonly number[]> =>
    Promise.all((["running", "waiting"] as const).map((status) => redis.zcard(keyOf(status))));
  await expect.poll(sizes).toEqual([0, 2]);
  await store.append([endOf("a")]);
  await expect.poll(sizes).toEqual([0, 1]);
  await store.append([endOf("b")]);
  for (const runId of ["a", "b"]) expect(await store.deleteRun(runId, null)).toBe("deleted");
  await expect.poll(async () => (await redis.keys("*")).toSorted()).toEqual(["run-events:ordinal"]);
});

it("S12, S27: pages stay whole among entries of earlier visits, and a listing removes these", async () => {
  const { redis, store } = await openStore(await openServer());
  for (const number of oneTo(25)) {
    const runId = `run-${number}`;
    await store.createRun(createOf(runId));
    await store.append([ask(runId)]);
    if (number % 2 === 0) await store.append([answer(runId)]);
    const { ordinal = 0 } = (await store.getRun(runId)) ?? {};
    // A process that died left them.
    await redis.zadd(keyOf("running"), ordinal, `${ordinal}:${runId}`);
    if (number % 2 === 0) await redis.zadd(keyOf("waiting"), ordinal, `${ordinal}:${runId}:1`);
  }
  const left = oneTo(25).map((number) => 26 - number);
  for (const limit of [1, 2, 7, 25, 26]) {
    for (const [runStatus, numbers] of [
      ["live", left],
      ["running", left.filter((number) => number % 2 === 0)],
      ["waiting", left.filter((number) => number % 2 === 1)],
    ] as const) {
      const seen: string[] = [];
      let before: number | null = null;
      for (;;) {
        const page = await store.listRuns({ ownerId: "ada", runStatus, before, limit });
        seen.push(...page.map(({ runId }) => runId));
        before = page.at(-1)?.ordinal ?? null;
        if (page.length < limit) break;
      }
      expect(seen).toEqual(numbers.map((number) => `run-${number}`));
    }
  }
  await expect.poll(() => redis.zcard(keyOf("running"))).toBe(12);
  await expect.poll(() => redis.zcard(keyOf("waiting"))).toBe(13);
});
