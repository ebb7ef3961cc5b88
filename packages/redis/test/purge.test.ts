import type { Redis } from "ioredis";
import { describe, expect, it } from "vitest";
import { openRedisStore } from "../src/index.ts";
import { SETUPS } from "./clients.ts";
import { connect, openServer } from "./opened.ts";
import {
  appendOf,
  createOf,
  endOf,
  listIds,
  oneTo,
  readValues,
} from "@tm/run-events-test-servers/requests";
import { useServers } from "./use-servers.ts";

const HOUR_MS = 3_600_000;
/** Purges all runs that have finished. */
const ALL = { finishedForMs: 0 };

/** Moves the end of a run into the past, as if that much time had passed. */
async function finishedAt(
  redis: Redis,
  prefix: string,
  runId: string,
  hoursAgo: number,
): Promise<void> {
  const atMs = Date.now() - hoursAgo * HOUR_MS;
  const head = `${prefix}:{run:${runId}}:head`;
  await redis.hset(head, "finishedAtMs", atMs, "updatedAtMs", atMs);
  await redis.zadd(`${prefix}:ended`, atMs, `${await redis.hget(head, "ordinal")}:${runId}`);
}

describe.each(SETUPS)("purge on $name", (setup) => {
  const openFresh = useServers(setup);
  it("S24: the oldest runs are removed first and whole, whenever they were created; live runs stay", async () => {
    const { prefix, redis, store } = await openFresh();
    const runIds = oneTo(130).map((number) => `run-${number}`);
    await Promise.all([...runIds, "live"].map((runId) => store.createRun(createOf(runId))));
    await store.append(runIds.flatMap((runId) => [appendOf(runId, 1), endOf(runId)]));
    await store.append([appendOf("live", 1)]);
    const oldestFirst = runIds.toReversed();
    for (const [at, runId] of oldestFirst.entries()) {
      await finishedAt(redis, prefix, runId, 1_000 - at);
    }
    expect(await store.purge({ finishedForMs: 1_001 * HOUR_MS, limit: 100 })).toEqual([]);
    expect(await store.purge({ finishedForMs: 991 * HOUR_MS, limit: 3 })).toEqual(
      oldestFirst.slice(0, 3),
    );
    expect(await store.purge({ finishedForMs: 991 * HOUR_MS, limit: 100 })).toEqual(
      oldestFirst.slice(3, 10),
    );
    expect(await store.purge({ ...ALL, limit: 200 })).toEqual(oldestFirst.slice(10));
    expect(await store.purge({ ...ALL, limit: 200 })).toEqual([]);
    expect(await readValues(store, "live")).toEqual([1]);
    await expect.poll(() => listIds(store)).toEqual(["live"]);
    for (const runId of runIds) {
      for (const part of ["head", "events", "receipts"]) {
        expect(await redis.exists(`${prefix}:{run:${runId}}:${part}`)).toBe(0);
      }
    }
    for (const status of ["queued", "completed"]) {
      await expect.poll(() => redis.exists(`${prefix}:{owner:ada}:${status}`)).toBe(0);
    }
    await expect.poll(() => redis.exists(`${prefix}:ended`)).toBe(0);
  });

  it("S24: age counts from the end, which the index need not know", async () => {
    const { prefix, redis, store } = await openFresh();
    const runIds = ["a", "b", "c", "d"];
    for (const runId of runIds) await store.createRun(createOf(runId));
    for (const [at, runId] of ["c", "a", "d"].entries()) {
      await store.append([endOf(runId)]);
      await finishedAt(redis, prefix, runId, 50 - at);
      // As if each had been silent since its creation, and they were created in the order of the alphabet.
      const { ordinal } = (await store.getRun(runId)) ?? {};
      await redis.zadd(`${prefix}:ended`, runIds.indexOf(runId), `${ordinal}:${runId}`);
    }
    expect(await store.purge({ finishedForMs: 51 * HOUR_MS, limit: 10 })).toEqual([]);
    expect(await store.purge({ finishedForMs: HOUR_MS, limit: 2 })).toEqual(["c", "a"]);
    expect(await store.purge({ finishedForMs: HOUR_MS, limit: 2 })).toEqual(["d"]);
    expect(await store.getRun("b")).toMatchObject({ runStatus: "queued" });
  });

  it("S24: a run's age is by its own server's clock, not by the index's server, whose clock is three days ahead", async () => {
    const { prefix, redis, store } = await openFresh();
    for (const runId of ["young", "old"]) {
      await store.createRun(createOf(runId));
      await store.append([endOf(runId)]);
    }
    await finishedAt(redis, prefix, "old", 50);
    // So that the server knows the scripts, and no text is sent instead.
    expect(await store.purge({ finishedForMs: 51 * HOUR_MS, limit: 10 })).toEqual([]);
    const ahead = Object.assign(Object.create(redis) as Redis, {
      // To such a server everything seems three days older. The other script of the index begins with a word.
      evalsha(sha1: string, count: number, [key = "", age = "", ...rest]: string[]) {
        const isSearch = key === `${prefix}:ended` && !Number.isNaN(Number(age));
        const asked = isSearch ? String(Number(age) - 72 * HOUR_MS) : age;
        return redis.evalsha(sha1, count, [key, asked, ...rest]);
      },
    });
    // So that the index has to be sorted, too.
    await redis.zadd(`${prefix}:ended`, 1, `${(await store.getRun("young"))?.ordinal}:young`);
    const purger = await openRedisStore(ahead, { prefix });
    expect(await purger.purge({ finishedForMs: 48 * HOUR_MS, limit: 10 })).toEqual(["old"]);
    expect(await purger.purge({ finishedForMs: 48 * HOUR_MS, limit: 10 })).toEqual([]);
    expect(await store.getRun("young")).not.toBeNull();
    expect(await purger.purge({ finishedForMs: 0, limit: 10 })).toEqual(["young"]);
  });
});

describe.each(SETUPS)("purge among other processes on $name", (setup) => {
  const openFresh = useServers(setup);

  it("S24: entries of a process that died before the end of the run hide nothing, and are used when it ends", async () => {
    const { prefix, redis, store } = await openFresh();
    const runIds = oneTo(120).map((number) => `run-${number}`);
    await Promise.all([...runIds, "old"].map((runId) => store.createRun(createOf(runId))));
    for (const runId of runIds) {
      const { ordinal } = (await store.getRun(runId)) ?? {};
      await redis.zadd(`${prefix}:ended`, 1, `${ordinal}:${runId}`, 1, `7:gone-${runId}`);
    }
    await store.append([endOf("old")]);
    expect(await store.purge({ ...ALL, limit: 1 })).toEqual(["old"]);
    expect(await store.purge({ ...ALL, limit: 1 })).toEqual([]);
    expect(await redis.zcard(`${prefix}:ended`)).toBe(runIds.length);
    await store.append([endOf("run-7")]);
    expect(await store.purge({ ...ALL, limit: 1 })).toEqual(["run-7"]);
  });

  it("S24: a run that was created again under the id of an old one stays, even if it has ended too", async () => {
    const { prefix, redis, store } = await openFresh();
    await store.createRun(createOf("a"));
    await store.append([endOf("a")]);
    await finishedAt(redis, prefix, "a", 50);
    let isReplaced = false;
    const late = Object.assign(Object.create(redis) as Redis, {
      // The run is created again between its check and its removal, which alone has all its keys.
      async evalsha(sha1: string, count: number, values: string[]) {
        if (count === 3 && !isReplaced) {
          isReplaced = true;
          await store.deleteRun("a", null);
          await store.createRun(createOf("a"));
          await store.append([appendOf("a", 2), endOf("a")]);
        }
        return redis.evalsha(sha1, count, values);
      },
    });
    const purger = await openRedisStore(late, { prefix });
    expect(await purger.purge({ finishedForMs: HOUR_MS, limit: 10 })).toEqual([]);
    expect(isReplaced).toBe(true);
    expect(await readValues(store, "a")).toEqual([2, null]);
    expect(await store.purge({ ...ALL, limit: 10 })).toEqual(["a"]);
  });

  it("S24: of those who purge at once each removes other runs", async () => {
    const { store } = await openFresh();
    const runIds = oneTo(60).map((number) => `run-${number}`);
    await Promise.all(runIds.map((runId) => store.createRun(createOf(runId))));
    await store.append(runIds.map((runId) => endOf(runId)));
    const purged = await Promise.all(oneTo(3).map(() => store.purge({ ...ALL, limit: 40 })));
    expect(purged.flat().toSorted()).toEqual(runIds.toSorted());
  });
});

it("S24: a purge frees room on a full Redis, even if it has to move entries first", async () => {
  const redis = connect(await openServer());
  const store = await openRedisStore(redis);
  for (const runId of ["a", "b"]) await store.createRun(createOf(runId));
  await store.append([endOf("a")]);
  const { ordinal } = (await store.getRun("a")) ?? {};
  await redis.zadd("run-events:ended", 1, `${ordinal}:a`);
  await redis.config("SET", "maxmemory", "1");
  await expect(store.append([appendOf("b")])).rejects.toMatchObject({
    code: "store_unavailable",
  });
  expect(await store.purge({ ...ALL, limit: 10 })).toEqual(["a"]);
});
