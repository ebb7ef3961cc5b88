import { expect, it } from "vitest";
import { openRedisStore } from "./ruled-store.ts";
import { connect, openServer, runKeys } from "./opened.ts";
import { appendOf, createOf, endOf, oneTo } from "@tm/run-events-test-servers/requests";

const ALL = { finishedForMs: 0 };

it("S17: a purge frees room on a full Redis, where appends are refused", async () => {
  const redis = connect(await openServer());
  const store = await openRedisStore(redis);
  for (const runId of ["a", "b"]) await store.createRun(createOf(runId));
  await store.append([endOf("a")]);
  await redis.config("SET", "maxmemory", "1");
  await expect(store.append([appendOf("b")])).rejects.toMatchObject({ code: "store_unavailable" });
  const due = await store.inner.list({ due: "finished", forMs: 0, limit: 10 });
  expect(due.map(({ runId }) => runId)).toEqual(["a"]);
  expect(await store.deleteRun("a", "ada")).toBe("deleted");
  expect(await redis.exists(...Object.values(runKeys("a")))).toBe(0);
});

it("S17: those who purge at once remove all runs, whole", async () => {
  const server = await openServer();
  const stores = await Promise.all(oneTo(3).map(() => openRedisStore(connect(server))));
  const [store] = stores;
  if (store === undefined) throw new TypeError("Expected a store.");
  const runIds = oneTo(60).map((number) => `run-${number}`);
  await Promise.all(runIds.map((runId) => store.createRun(createOf(runId))));
  await store.append(runIds.map((runId) => endOf(runId)));
  const purged = await Promise.all(stores.map((one) => one.purge({ ...ALL, limit: 100 })));
  // Of those that remove a run at once, each may take the removal for its own.
  expect(new Set(purged.flat().map(({ runId }) => runId))).toEqual(new Set(runIds));
  const left = await connect(server).keys("*");
  expect(left.toSorted()).toEqual(["run-events:format", "run-events:{40}:ordinal"]);
});
