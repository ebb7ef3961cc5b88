import type { LeaseOutcome } from "@tm/run-events-core/store";
import { describe, expect, it, vi } from "vitest";
import { SETUPS } from "./clients.ts";
import { openServer, openStore } from "./opened.ts";
import { passTime } from "./pass-time.ts";
import {
  appendOf,
  by,
  claimed,
  claimOf,
  createOf,
  isGranted,
  oneTo,
  readValues,
} from "@tm/run-events-test-servers/requests";
import { useServers } from "./use-servers.ts";

const HOUR_MS = 3_600_000;

describe.each(SETUPS)("leases on $name", (setup) => {
  const openFresh = useServers(setup, 4);
  it("S21: of several claims of a run at once exactly one is granted, each time with a higher fence", async () => {
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
    // One entry a lease. The entries of the earlier lease and of refused claims are removed.
    await expect
      .poll(() => redis.zrange(`${prefix}:held`, "0", "-1"))
      .toEqual([`${last?.ordinal}/${last?.fence}:a`]);
  });

  it("W44: a name that a program without names has left is not that of the next lease, and takes no room after its own", async () => {
    const { prefix, redis, store } = await openFresh();
    await store.createRun(createOf("a"));
    const head = `${prefix}:{run:a}:head`;
    const { fence } = await claimed(store, { ...claimOf("a", HOUR_MS), worker: "w-1" });
    // Such a program claims an expired run like this.
    await redis.hset(head, "fence", String(fence + 1));
    expect((await store.getRun("a"))?.worker).toBeNull();
    await store.release({ runId: "a", ownerId: null, fence: fence + 1 });
    expect(await redis.hmget(head, "worker", "workerFence")).toEqual([null, null]);
  });

  it("S21: a claim under the key that got the lease gets it again, until it expires or is released", async () => {
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
});

describe.each(SETUPS)("appends under a lease on $name", (setup) => {
  const openFresh = useServers(setup);

  it("S22: appends with a stale fence and without one are refused in the short and the long way, and change nothing", async () => {
    const { prefix, redis, store } = await openFresh();
    await store.createRun(createOf("a"));
    await store.createRun(createOf("free"));
    const { fence: stale } = await claimed(store, claimOf("a", HOUR_MS));
    await passTime(redis, prefix, ["a"], 2 * HOUR_MS);
    const { fence } = await claimed(store, claimOf("a", HOUR_MS));
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
    // A fence is of no use on an unclaimed run.
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

  it("S22: an owner's append in the middle of a group fences the worker from there on", async () => {
    const { prefix, redis, store } = await openFresh();
    await store.createRun(createOf("a"));
    const { fence } = await claimed(store, claimOf("a"));
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
    expect((await claimed(store, claimOf("a"))).fence).toBeGreaterThan(fence + 2);
  });
});

describe("the cost of leases", () => {
  it("S21: a claim, a renewal and a release are one command each that the caller waits for", async () => {
    const { redis, store } = await openStore(await openServer());
    await store.createRun(createOf("a"));
    const first = await claimed(store, claimOf("a"));
    // Each script is sent whole the first time.
    await store.renew({ ...first, ownerId: null, leaseMs: HOUR_MS });
    await store.release({ ...first, ownerId: null });
    const sent = vi.spyOn(redis, "sendCommand");
    const names = (): readonly string[] =>
      sent.mock.calls.splice(0).map(([{ name }]) => (name === "evalsha" ? "script" : name));
    const { fence } = await claimed(store, claimOf("a"));
    expect(names()).toEqual(["script"]);
    await store.renew({ runId: "a", ownerId: null, fence, leaseMs: HOUR_MS });
    expect(names()).toEqual(["script"]);
    await store.release({ runId: "a", ownerId: null, fence });
    // The caller does not wait for the second.
    expect(names()).toEqual(["script", "zrem"]);
  });

  it("S22: a worker's append takes the short way, like one on a run without a lease", async () => {
    const { redis, store } = await openStore(await openServer());
    await store.createRun(createOf("a"));
    await store.createRun(createOf("b"));
    const { fence } = await claimed(store, claimOf("a"));
    await store.append([appendOf("a", 1, by(fence)), appendOf("b", 1)]);
    await redis.config("RESETSTAT");
    await store.append([appendOf("a", 2, by(fence)), appendOf("b", 2)]);
    // Only the short way writes a receipt like this, and only the long way reads one.
    const stats = await redis.info("commandstats");
    expect(/cmdstat_hsetnx:calls=(\d+)/.exec(stats)?.[1]).toBe("2");
    expect(/cmdstat_hmget:calls=(\d+)/.exec(stats)?.[1]).toBe("2");
  });

  it("S21: a run that was never claimed has no field for leases", async () => {
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
