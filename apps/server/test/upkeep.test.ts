import { join } from "node:path";
import { RunEventsError } from "@tm/run-events-core";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { StoreUrl } from "../src/store-url.ts";
import { makeTempFolder } from "./start-server.ts";
import { abandon, DAY_MS, finish, openRuns, PATIENCE, PURGE_MS, startUpkept } from "./upkept.ts";

// Time passes as the tests say where the upkeep waits, and by itself in the stores.
beforeEach(() => void vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] }));
afterEach(() => void vi.useRealTimers());

const STORES: readonly (readonly [string, () => Promise<StoreUrl>])[] = [
  ["memory", async () => ({ kind: "memory" })],
  ["sqlite", async () => ({ kind: "sqlite", path: join(await makeTempFolder(), "runs.db") })],
];

describe.each(STORES)("the reaper on %s", (_, urlOf) => {
  it("W33: the reaper ends a run whose lease has expired, logs and counts it, and leaves all others", async () => {
    const { store, ...runs } = await openRuns(await urlOf());
    const [abandoned = ""] = await abandon(store, runs, 1);
    const others = ["unclaimed", "held", "released"];
    for (const runId of others) await runs.create({ ownerId: "ada", runId });
    await runs.as("ada").claim("held", { leaseMs: 60_000 });
    const { fence } = await runs.as("ada").claim("released", { leaseMs: 60_000 });
    await runs.as("ada").release("released", fence);

    const server = startUpkept(runs.log);
    vi.advanceTimersByTime(4_999);
    expect(await runs.as("ada").get(abandoned)).toMatchObject({ runStatus: "queued" });
    vi.advanceTimersByTime(1);
    await expect.poll(() => runs.counted("runs_expired"), PATIENCE).toBe(1);
    expect(server.logged).toEqual([{ event: "run_expired", ownerId: "ada", runId: abandoned }]);
    const { events, runStatus } = await runs.as("ada").read(abandoned);
    expect([runStatus, events]).toMatchObject([
      "failed",
      [{ eventType: "RUN_FAILED", payload: { reason: "lease_expired" } }],
    ]);
    for (const runId of others) {
      expect(await runs.as("ada").get(runId)).toMatchObject({ runStatus: "queued" });
    }
  });

  it("W33: the reaper leaves a run alone during the grace", async () => {
    const { store, ...runs } = await openRuns(await urlOf());
    const [runId = ""] = await abandon(store, runs, 1);
    const { upkeep, logged } = startUpkept(runs.log, { leaseGraceMs: 60_000 });
    vi.advanceTimersByTime(5_000);
    await upkeep.stop(30_000);
    expect(await runs.as("ada").get(runId)).toMatchObject({ runStatus: "queued" });
    expect(logged).toEqual([]);
  });

  it("W33: the reaper ends any number of runs without waiting for the next interval", async () => {
    const { store, ...runs } = await openRuns(await urlOf());
    const abandoned = await abandon(store, runs, 250);
    const { runsIn } = startUpkept(runs.log);
    vi.advanceTimersByTime(5_000);
    await expect.poll(() => runsIn("run_expired").length, PATIENCE).toBe(250);
    expect(runs.counted("runs_expired")).toBe(250);
    expect(runsIn("run_expired").toSorted()).toEqual(abandoned.toSorted());
  });
});

describe.each(STORES)("upkeep that fails, or is stopped, on %s", (_, urlOf) => {
  it("W33: a failure of the upkeep is logged and counted, and the next tick tries again", async () => {
    const cause = new Error("connect ECONNREFUSED");
    let isAway = false;
    const unlessAway = async <T>(call: () => Promise<T>): Promise<T> => {
      if (!isAway) return call();
      throw new RunEventsError("store_unavailable", "The store is away.", { cause });
    };
    const { store, ...runs } = await openRuns(await urlOf(), (real) => ({
      ...real,
      list: (query) => unlessAway(() => real.list(query)),
    }));
    const [abandoned = ""] = await abandon(store, runs, 1);
    isAway = true;
    const server = startUpkept(runs.log, { retentionMs: 36_500 * DAY_MS });
    vi.advanceTimersByTime(PURGE_MS);
    await expect.poll(() => runs.counted("upkeep_failures"), PATIENCE).toBeGreaterThan(1);
    await expect.poll(() => server.logged.map(({ task }) => task), PATIENCE).toContain("reap");
    expect(server.logged.map(({ task }) => task)).toContain("purge");
    for (const line of server.logged) {
      expect(line).toMatchObject({ event: "upkeep_failed", code: "store_unavailable" });
    }
    isAway = false;
    vi.advanceTimersByTime(5_000);
    await expect.poll(() => server.runsIn("run_expired"), PATIENCE).toEqual([abandoned]);
  });

  it("W27: the upkeep ends with the tick under way, before the store is closed", async () => {
    const { store, ...runs } = await openRuns(await urlOf());
    const [abandoned = ""] = await abandon(store, runs, 1);
    const gate = Promise.withResolvers<void>();
    const { upkeep, logged } = startUpkept({
      ...runs.log,
      async reap(options) {
        await gate.promise;
        return runs.log.reap(options);
      },
    });
    vi.advanceTimersByTime(5_000);
    let isStopped = false;
    const stopping = upkeep.stop(30_000).then(() => (isStopped = true));
    await runs.as("ada").get(abandoned);
    expect(isStopped).toBe(false);
    gate.resolve();
    await stopping;
    await runs.close();
    expect(logged).toEqual([{ event: "run_expired", ownerId: "ada", runId: abandoned }]);
  });
});

describe.each(STORES)("retention on %s", (_, urlOf) => {
  it("S17: the upkeep removes runs that finished before the retention, batch by batch, and logs how many", async () => {
    const { store: _store, ...runs } = await openRuns(await urlOf());
    await finish(runs, 250);
    const { runId: live } = await runs.create({ ownerId: "ada" });
    const server = startUpkept(runs.log, { retentionMs: 0.0001 });
    vi.advanceTimersByTime(PURGE_MS - 1);
    expect(runs.counted("runs_purged")).toBe(0);
    vi.advanceTimersByTime(1);
    await expect.poll(() => server.logged, PATIENCE).toEqual([{ event: "runs_purged", runs: 250 }]);
    expect(runs.counted("runs_purged")).toBe(250);
    const left = await runs.list({ ownerId: "ada" });
    expect(left.runs.map(({ runId }) => runId)).toEqual([live]);
  });

  it("S17: an append that waits during a batch goes before the next batch", async () => {
    const order: string[] = [];
    const waiting: Promise<unknown>[] = [];
    const runs = await openRuns(await urlOf(), (real) => ({
      ...real,
      async append(plains) {
        order.push("append");
        return real.append(plains);
      },
      async list(query) {
        if ("due" in query && query.due === "finished") {
          order.push("batch");
          waiting.push(runs.as("ada").append("live", [{ eventType: "TOKEN" }]));
        }
        return real.list(query);
      },
    }));
    await finish(runs, 250);
    await runs.create({ ownerId: "ada", runId: "live" });
    await runs.as("ada").append("live", [{ eventType: "RUN_STARTED" }]);
    order.length = 0;
    const server = startUpkept(runs.log, { retentionMs: 0.0001 });
    vi.advanceTimersByTime(PURGE_MS);
    await expect.poll(() => server.logged, PATIENCE).toEqual([{ event: "runs_purged", runs: 250 }]);
    await Promise.all(waiting);
    const batches = order.length / 2;
    // 250 runs are not one batch; the last one finds nothing.
    expect(batches).toBeGreaterThan(2);
    expect(order).toEqual(Array.from({ length: batches }, () => ["batch", "append"]).flat());
  });

  it("S17: a purge that is stopped ends with its batch and logs what it removed, and another one does the rest", async () => {
    const runs = await openRuns(await urlOf());
    await finish(runs, 250);
    const gate = Promise.withResolvers<void>();
    const first = startUpkept(
      {
        ...runs.log,
        async purge(options) {
          await gate.promise;
          return runs.log.purge(options);
        },
      },
      { retentionMs: 0.0001 },
    );
    vi.advanceTimersByTime(PURGE_MS);
    const stopping = first.upkeep.stop(30_000);
    gate.resolve();
    await stopping;
    const removed = runs.counted("runs_purged");
    expect(removed).toBeGreaterThan(0);
    expect(removed).toBeLessThan(250);
    expect(first.logged).toEqual([{ event: "runs_purged", runs: removed }]);
    const second = startUpkept(runs.log, { retentionMs: 0.0001 });
    vi.advanceTimersByTime(PURGE_MS);
    await expect
      .poll(() => second.logged, PATIENCE)
      .toEqual([{ event: "runs_purged", runs: 250 - removed }]);
  });

  it("S17: the upkeep keeps younger runs, and all runs if no retention is set", async () => {
    const { store: _store, ...runs } = await openRuns(await urlOf());
    const [runId = ""] = await finish(runs, 1);
    for (const retentionMs of [36_500 * DAY_MS, DAY_MS, null]) {
      const { upkeep, logged } = startUpkept(runs.log, { retentionMs });
      vi.advanceTimersByTime(PURGE_MS);
      await upkeep.stop(30_000);
      expect(logged).toEqual([]);
    }
    expect(await runs.as("ada").get(runId)).toMatchObject({ runStatus: "completed" });
  });
});
