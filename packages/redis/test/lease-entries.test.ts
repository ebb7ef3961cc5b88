import type { Redis } from "ioredis";
import { describe, expect, it } from "vitest";
import { openRedisStore, type RedisClusterClient, type RedisStore } from "../src/index.ts";
import { SETUPS } from "./clients.ts";
import { connect, openServer, openStore } from "./opened.ts";
import { passTime } from "./pass-time.ts";
import {
  appendOf,
  by,
  claimed,
  claimOf,
  createOf,
  endOf,
  isGranted,
  oneTo,
} from "@tm/run-events-test-servers/requests";
import { useServers } from "./use-servers.ts";

const HOUR_MS = 3_600_000;
/** The fence of a claim that was never granted: higher than the 0 of a run without a claim. */
const GHOST_FENCE = 1_000;

describe.each(SETUPS)("the index of leases on $name", (setup) => {
  const openFresh = useServers(setup);

  it("S23: runs are found by when their leases expired, with any entries before them in the index", async () => {
    const { prefix, redis, store } = await openFresh();
    const runIds = oneTo(70).map((number) => `run-${number}`);
    const ghosts = runIds.map((runId) => `ghost-${runId}`);
    await Promise.all([...runIds, ...ghosts].map((runId) => store.createRun(createOf(runId))));
    for (const runId of runIds) await claimed(store, claimOf(runId, HOUR_MS));
    // Entries of a process that died during a claim, of a deleted run, and of leases that were renewed since.
    for (const [at, runId] of ghosts.entries()) {
      const { ordinal } = (await store.getRun(runId)) ?? {};
      await redis.zadd(
        `${prefix}:held`,
        at,
        `${ordinal}/${GHOST_FENCE}:${runId}`,
        at,
        `${at}/1:gone-${at}`,
      );
    }
    const [renewed = "", ...left] = runIds.toReversed();
    await passTime(redis, prefix, left, 2 * HOUR_MS);
    for (const [at, runId] of left.entries()) {
      await redis.hincrby(`${prefix}:{run:${runId}}:head`, "leaseExpiresAtMs", at * 1_000);
    }
    expect(await store.listExpired({ graceMs: 0, limit: 1 })).toEqual(left.slice(0, 1));
    expect(await store.listExpired({ graceMs: 0, limit: 60 })).toEqual(left.slice(0, 60));
    expect(await store.listExpired({ graceMs: 0, limit: 100 })).toEqual(left);
    expect(await store.listExpired({ graceMs: 2 * HOUR_MS, limit: 100 })).toEqual([]);
    // An entry that may still become due stays, at its time.
    const entries = await redis.zrange(`${prefix}:held`, "0", "-1");
    expect(entries).toHaveLength(runIds.length + ghosts.length);
    const { ordinal, fence, leaseExpiresAtMs } = (await store.getRun(renewed)) ?? {};
    expect(await redis.zscore(`${prefix}:held`, `${ordinal}/${fence}:${renewed}`)).toBe(
      String(leaseExpiresAtMs),
    );
    expect((await claimed(store, claimOf(ghosts[0] ?? "", HOUR_MS))).fence).toBeGreaterThan(
      GHOST_FENCE,
    );
    await passTime(redis, prefix, ghosts, 3 * HOUR_MS);
    expect(await store.listExpired({ graceMs: 0, limit: 1 })).toEqual(ghosts.slice(0, 1));
  });

  it("S23: an entry is removed with its lease, and a renewal leaves it as it is", async () => {
    const { prefix, redis, store } = await openFresh();
    const owner = { appender: { by: "owner" } } as const;
    const ends: readonly ((runId: string, fence: number) => Promise<unknown>)[] = [
      (runId, fence) => store.release({ runId, ownerId: null, fence }),
      (runId) => store.append([appendOf(runId, 1, owner)]),
      (runId) => store.append([endOf(runId, owner)]),
      (runId, fence) => store.append([endOf(runId, by(fence))]),
      (runId, fence) => store.append([appendOf(runId, 1, by(fence)), endOf(runId, by(fence))]),
    ];
    for (const [at, end] of ends.entries()) {
      const runId = `run-${at}`;
      await store.createRun(createOf(runId));
      const { ordinal, fence } = await claimed(store, claimOf(runId, HOUR_MS));
      const score = () => redis.zscore(`${prefix}:held`, `${ordinal}/${fence}:${runId}`);
      const before = await score();
      expect(before).not.toBeNull();
      await store.renew({ runId, ownerId: null, fence, leaseMs: 2 * HOUR_MS });
      expect(await score()).toBe(before);
      await end(runId, fence);
      await expect.poll(score).toBeNull();
      // The head is as small as before, but for the fence.
      expect(await redis.hexists(`${prefix}:{run:${runId}}:head`, "claimKey")).toBe(0);
    }
  });
});

it("S21: entries that claims in a cluster make before their leases have different fences, even many of one millisecond", async () => {
  const redis = connect(await openServer());
  const marks: string[] = [];
  const isAdded = Promise.withResolvers<void>();
  const clients = oneTo(40).map(() => {
    const client = Object.assign(Object.create(redis) as Redis, {
      // So that the store treats it as a cluster's client.
      nodes: () => [redis],
      async zadd(index: string, ...values: string[]) {
        if (index.endsWith(":held")) {
          marks.push(values.at(-1) ?? "");
          if (marks.length === clients.length) isAdded.resolve();
          await isAdded.promise;
        }
        return redis.zadd(index, ...(values as [string, string, string]));
      },
    });
    return client as unknown as RedisClusterClient;
  });
  const stores = await Promise.all(clients.map((client) => openRedisStore(client)));
  const [store] = stores as [RedisStore];
  await store.createRun(createOf("a"));
  const outcomes = await Promise.all(
    stores.map((one) => one.claim({ runId: "a", ownerId: null, leaseMs: HOUR_MS })),
  );
  expect(new Set(marks).size).toBe(stores.length);
  const [run, ...others] = outcomes.flatMap((one) => (isGranted(one) ? [one.run] : []));
  expect(others).toEqual([]);
  // Entries that no claim will use were removed.
  const entry = `${run?.ordinal}/${run?.fence}:a`;
  await expect.poll(() => redis.zrange("run-events:held", "0", "-1")).toEqual([entry]);
});

it("S23: an entry that was checked is checked again only when it is due", async () => {
  const { redis, store } = await openStore(await openServer());
  await Promise.all(
    oneTo(5_000).map(async (number) => {
      const runId = `run-${number}`;
      await store.createRun(createOf(runId));
      const { fence } = await claimed(store, claimOf(runId, 1));
      await store.renew({ runId, ownerId: null, fence, leaseMs: HOUR_MS });
    }),
  );
  expect(await store.listExpired({ graceMs: 0, limit: 10_000 })).toEqual([]);
  // Until the clock has reached the last of them.
  await expect
    .poll(async () => {
      expect(await store.listExpired({ graceMs: 0, limit: 1 })).toEqual([]);
      return redis.zcount("run-events:held", "-inf", Date.now() + HOUR_MS / 2);
    })
    .toBe(0);
  await redis.config("RESETSTAT");
  expect(await store.listExpired({ graceMs: 0, limit: 1 })).toEqual([]);
  expect(await redis.info("commandstats")).not.toContain("cmdstat_hmget");
});
