import type { AppendRequest, LeaseOutcome } from "@tm/run-events-core/store";
import type { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { openRedisStore, type RedisClusterClient, type RedisStore } from "../src/index.ts";
import { type Client, type Servers, SETUPS } from "./clients.ts";
import { connect, openServer, openStore } from "./opened.ts";
import { passTime } from "./pass-time.ts";
import { appendOf, claimed, createOf, endOf, oneTo, readValues } from "./requests.ts";

const HOUR_MS = 3_600_000;
/** The fence of a claim that was never granted: higher than the 0 of a run without a claim. */
const GHOST_FENCE = 1_000;

function by(fence: number): Pick<AppendRequest, "appender"> {
  return { appender: { by: "worker", fence } };
}

describe.each(SETUPS)("leases on $name", ({ start }) => {
  let servers: Servers;
  let clients: readonly Client[];

  beforeAll(async () => {
    servers = await start();
    clients = oneTo(4).map(() => servers.connect());
  });

  afterAll(async () => {
    for (const client of clients) client.disconnect();
    await servers.close();
  });

  /** Stores of several processes, and a client to look behind them. */
  async function openFresh(): Promise<{
    readonly prefix: string;
    readonly redis: Redis;
    readonly store: RedisStore;
    readonly stores: readonly RedisStore[];
  }> {
    const prefix = crypto.randomUUID();
    const stores = await Promise.all(clients.map((client) => openRedisStore(client, { prefix })));
    const [store] = stores;
    if (store === undefined) throw new TypeError("Expected a store.");
    return { prefix, redis: clients[0] as Redis, store, stores };
  }

  it("S21: of those who claim a run at once one has it, each time with a higher fence", async () => {
    const { prefix, redis, store, stores } = await openFresh();
    await store.createRun(createOf("a"));
    let last = await store.getRun("a");
    for (const _ of oneTo(20)) {
      const outcomes = await Promise.all(
        [...stores, ...stores].map((one) =>
          one.claim({ runId: "a", ownerId: null, leaseMs: HOUR_MS }),
        ),
      );
      const [run, ...others] = outcomes.flatMap((one) => (isGranted(one) ? [one.run] : []));
      expect(others).toEqual([]);
      expect(run?.fence).toBeGreaterThan(last?.fence ?? Infinity);
      last = run ?? null;
      const { leaseExpiresAtMs } = run ?? {};
      for (const outcome of outcomes) {
        if (!isGranted(outcome)) expect(outcome).toEqual({ outcome: "claimed", leaseExpiresAtMs });
      }
      await passTime(redis, prefix, ["a"], 2 * HOUR_MS);
    }
    // One entry a lease. The entries of the lease before and of refused claims are gone.
    await expect
      .poll(() => redis.zrange(`${prefix}:held`, "0", "-1"))
      .toEqual([`${last?.ordinal}/${last?.fence}:a`]);
  });

  it("S21: a claim under the key that got the lease is granted it again, until it runs out or is over", async () => {
    const { prefix, redis, store, stores } = await openFresh();
    await store.createRun(createOf("a"));
    const mine = { runId: "a", ownerId: null, leaseMs: HOUR_MS, claimKey: "mine" };
    const first = await store.claim(mine);
    const fence = fenceOf(first);
    for (const one of stores) expect(await one.claim({ ...mine, leaseMs: 1 })).toEqual(first);
    const { claimKey: _, ...nameless } = mine;
    for (const other of [
      nameless,
      { ...mine, claimKey: "other" },
      { ...mine, claimKey: "=mine" },
    ]) {
      expect(await store.claim(other)).toMatchObject({ outcome: "claimed" });
    }
    const renewed = await store.renew({ ...mine, fence, leaseMs: 2 * HOUR_MS });
    expect(await store.claim(mine)).toEqual(renewed);
    expect(await store.claim({ ...mine, ownerId: "eve" })).toEqual({ outcome: "not_found" });
    await passTime(redis, prefix, ["a"], 3 * HOUR_MS);
    const second = fenceOf(await store.claim(mine));
    expect(second).toBeGreaterThan(fence);
    await store.release({ runId: "a", ownerId: null, fence: second });
    const third = fenceOf(await store.claim(mine));
    expect(third).toBeGreaterThan(second);
    await store.append([appendOf("a", 1, { appender: { by: "owner" } })]);
    const last = fenceOf(await store.claim({ ...mine, claimKey: "other" }));
    expect(last).toBeGreaterThan(third + 1);
    expect(await store.claim(mine)).toMatchObject({ outcome: "claimed" });
  });

  it("S22: whatever way an append takes, a stale fence and a missing one are refused and change nothing", async () => {
    const { prefix, redis, store } = await openFresh();
    await store.createRun(createOf("a"));
    await store.createRun(createOf("free"));
    const { fence: stale } = await claimed(store, "a", HOUR_MS);
    await passTime(redis, prefix, ["a"], 2 * HOUR_MS);
    const { fence } = await claimed(store, "a", HOUR_MS);
    await store.append([appendOf("a", 1, by(fence)), appendOf("free", 1)]);
    const twice = appendOf("a", 0).events.flatMap((event) => [event, event]);
    const before = await redis.hgetall(`${prefix}:{run:a}:head`);
    for (const appender of [{}, by(stale), by(fence + 1), by(1)]) {
      for (const shape of [{}, { events: twice }, { expectedSequence: 9 }]) {
        const refused = appendOf("a", 0, { ...shape, ...appender });
        expect(await store.append([refused])).toEqual([{ outcome: "fenced" }]);
        expect(await store.append([refused, refused])).toMatchObject([{}, { outcome: "fenced" }]);
      }
    }
    // A fence is good for nothing on a run that nobody has.
    expect(await store.append([appendOf("free", 0, by(fence))])).toEqual([{ outcome: "fenced" }]);
    expect(await redis.hgetall(`${prefix}:{run:a}:head`)).toEqual(before);
    await store.append([appendOf("a", 2, by(fence))]);
    await store.append([
      appendOf("a", 3, { events: twice, ...by(fence) }),
      appendOf("a", 4, by(fence)),
    ]);
    expect(await readValues(store, "a")).toEqual([1, 2, 0, 0, 4]);
    expect(await readValues(store, "free")).toEqual([1]);
  });

  it("S22: an owner in the middle of a group shuts out the worker from there on", async () => {
    const { prefix, redis, store } = await openFresh();
    await store.createRun(createOf("a"));
    const { fence } = await claimed(store, "a");
    const outcomes = await store.append([
      appendOf("a", 1, by(fence)),
      appendOf("a", 2, { appender: { by: "owner" } }),
      appendOf("a", 3, by(fence)),
      appendOf("a", 4),
      appendOf("a", 5, { appender: { by: "owner" } }),
    ]);
    expect(outcomes.map(({ outcome }) => outcome)).toEqual([
      "appended",
      "appended",
      "fenced",
      "appended",
      "appended",
    ]);
    expect(await store.getRun("a")).toMatchObject({ fence: fence + 2, leaseExpiresAtMs: null });
    await expect.poll(() => redis.exists(`${prefix}:held`)).toBe(0);
    expect((await claimed(store, "a")).fence).toBeGreaterThan(fence + 2);
  });

  it("S23: runs are found by when their leases ran out, whatever stands before them in the index", async () => {
    const { prefix, redis, store } = await openFresh();
    const runIds = oneTo(70).map((number) => `run-${number}`);
    const ghosts = runIds.map((runId) => `ghost-${runId}`);
    await Promise.all([...runIds, ...ghosts].map((runId) => store.createRun(createOf(runId))));
    for (const runId of runIds) await claimed(store, runId, HOUR_MS);
    // Those that a process has left which died on the way to a claim, that of a run that is gone, and of leases renewed since.
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
    // What may yet come true stays, at its time.
    const entries = await redis.zrange(`${prefix}:held`, "0", "-1");
    expect(entries).toHaveLength(runIds.length + ghosts.length);
    const { ordinal, fence, leaseExpiresAtMs } = (await store.getRun(renewed)) ?? {};
    expect(await redis.zscore(`${prefix}:held`, `${ordinal}/${fence}:${renewed}`)).toBe(
      String(leaseExpiresAtMs),
    );
    expect((await claimed(store, ghosts[0] ?? "", HOUR_MS)).fence).toBeGreaterThan(GHOST_FENCE);
    await passTime(redis, prefix, ghosts, 3 * HOUR_MS);
    expect(await store.listExpired({ graceMs: 0, limit: 1 })).toEqual(ghosts.slice(0, 1));
  });

  it("S23: an entry goes when its lease does, and a renewal leaves it as it is", async () => {
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
      const { ordinal, fence } = await claimed(store, runId, HOUR_MS);
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

describe("the entries that claims in a cluster make before their leases", () => {
  it("S21: have a fence each, however many are made in one millisecond", async () => {
    const redis = connect(await openServer());
    const marks: string[] = [];
    const isAdded = Promise.withResolvers<void>();
    const clients = oneTo(40).map(() => {
      const client = Object.assign(Object.create(redis) as Redis, {
        // Makes the store take it for a cluster's client.
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
    // Entries that no claim will use are gone.
    const entry = `${run?.ordinal}/${run?.fence}:a`;
    await expect.poll(() => redis.zrange("run-events:held", "0", "-1")).toEqual([entry]);
  });
});

describe("what leases cost", () => {
  it("S21: a claim, a renewal and a release are one command each that the caller waits for", async () => {
    const { redis, store } = await openStore(await openServer());
    await store.createRun(createOf("a"));
    const first = await claimed(store, "a");
    // The first time each script is sent whole.
    await store.renew({ ...first, ownerId: null, leaseMs: HOUR_MS });
    await store.release({ ...first, ownerId: null });
    const sent = vi.spyOn(redis, "sendCommand");
    const names = (): readonly string[] =>
      sent.mock.calls.splice(0).map(([{ name }]) => (name === "evalsha" ? "script" : name));
    const { fence } = await claimed(store, "a");
    expect(names()).toEqual(["script"]);
    await store.renew({ runId: "a", ownerId: null, fence, leaseMs: HOUR_MS });
    expect(names()).toEqual(["script"]);
    await store.release({ runId: "a", ownerId: null, fence });
    // Nobody waits for the second.
    expect(names()).toEqual(["script", "zrem"]);
  });

  it("S22: a worker's append takes the short way, as anybody's on a run without a lease", async () => {
    const { redis, store } = await openStore(await openServer());
    await store.createRun(createOf("a"));
    await store.createRun(createOf("b"));
    const { fence } = await claimed(store, "a");
    await store.append([appendOf("a", 1, by(fence)), appendOf("b", 1)]);
    await redis.config("RESETSTAT");
    await store.append([appendOf("a", 2, by(fence)), appendOf("b", 2)]);
    // Only the short way writes a receipt so, and only the long way looks for one.
    const stats = await redis.info("commandstats");
    expect(/cmdstat_hsetnx:calls=(\d+)/.exec(stats)?.[1]).toBe("2");
    expect(/cmdstat_hmget:calls=(\d+)/.exec(stats)?.[1]).toBe("2");
  });

  it("S23: what has been looked at is looked at again only when it is due", async () => {
    const { redis, store } = await openStore(await openServer());
    await Promise.all(
      oneTo(5_000).map(async (number) => {
        const runId = `run-${number}`;
        await store.createRun(createOf(runId));
        const { fence } = await claimed(store, runId, 1);
        await store.renew({ runId, ownerId: null, fence, leaseMs: HOUR_MS });
      }),
    );
    expect(await store.listExpired({ graceMs: 0, limit: 10_000 })).toEqual([]);
    // Until the clock has come to the last of them.
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

  it("S21: a run that nobody has claimed has no field for it", async () => {
    const { redis, store } = await openStore(await openServer());
    await store.createRun(createOf("a"));
    await store.append([appendOf("a", 1)]);
    const fields = await redis.hkeys("run-events:{run:a}:head");
    expect(fields).not.toContain("fence");
    expect(fields).not.toContain("leaseExpiresAtMs");
  });
});

function fenceOf(outcome: LeaseOutcome): number {
  if (!isGranted(outcome)) throw new TypeError(`Expected a lease, got ${outcome.outcome}.`);
  return outcome.run.fence;
}

function isGranted(
  outcome: LeaseOutcome,
): outcome is Extract<LeaseOutcome, { outcome: "granted" }> {
  return outcome.outcome === "granted";
}
