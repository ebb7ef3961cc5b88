import { join } from "node:path";
import { createRunEvents, RunEventsError, type RunEvents } from "@tm/run-events-core";
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import type { LogFields } from "../src/log.ts";
import { createMetrics } from "../src/metrics.ts";
import { openStore } from "../src/open-store.ts";
import type { StoreUrl } from "../src/store-url.ts";
import {
  confirmMsFor,
  type RunningUpkeep,
  startUpkeep,
  type UpkeepOptions,
} from "../src/upkeep.ts";
import { makeTempFolder } from "./start-server.ts";

/** Bounds a hang. */
const PATIENCE = { timeout: 30_000 };
const DAY_MS = 86_400_000;
const SETTINGS = { leaseGraceMs: 0, reapIntervalMs: 5_000, retentionMs: null };
const PURGE_MS = 60_000;

// Time passes as the tests say where the upkeep waits, and by itself in the stores.
beforeEach(() => void vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] }));
afterEach(() => void vi.useRealTimers());

/** One server's upkeep, and what it has said. */
interface Upkept {
  readonly upkeep: RunningUpkeep;
  readonly logged: readonly (LogFields & { readonly event: string })[];
  /** The runs in the lines of this event. */
  runsIn(event: string): readonly string[];
  counted(name: string): number;
}

function startUpkept(
  runs: UpkeepOptions["runs"],
  settings: Partial<UpkeepOptions["settings"]> = {},
): Upkept {
  const logged: (LogFields & { readonly event: string })[] = [];
  const metrics = createMetrics({
    handler: () => ({
      streams: { open: 0, opened: 0, ended: {} },
      waiting: 0,
      inFlight: { requests: 0, uploads: 0, bodyBytes: 0, answerBytes: 0 },
    }),
    store: () => ({ stalledBy: null, probeMs: 0, stalls: 0 }),
    walBytes: () => null,
  });
  const upkeep = startUpkeep({
    runs,
    confirmMs: 0,
    settings: { ...SETTINGS, ...settings },
    metrics,
    log: (event, fields = {}) => logged.push({ event, ...fields }),
  });
  onTestFinished(() => upkeep.stop(0));
  return {
    upkeep,
    logged,
    runsIn: (event) =>
      logged
        .filter((line) => line.event === event)
        .flatMap(({ runId, runIds }) => (runIds ?? runId) as string | readonly string[]),
    counted: (name) =>
      Number(new RegExp(`^run_events_${name}_total (\\d+)$`, "m").exec(metrics.encode())?.[1]),
  };
}

async function openRuns(storeUrl: StoreUrl): Promise<RunEvents & { readonly store: Store }> {
  const { store, release } = await openStore(storeUrl, () => {});
  const runs = createRunEvents({ store });
  onTestFinished(async () => {
    await runs.close();
    await release();
  });
  return { ...runs, store };
}

type Store = Awaited<ReturnType<typeof openStore>>["store"];

/** Creates runs whose leases have run out by now. */
async function abandon(store: Store, runs: RunEvents, count: number): Promise<readonly string[]> {
  const created = await Promise.all(
    Array.from({ length: count }, () => runs.create({ ownerId: "ada" })),
  );
  const runIds = created.map(({ runId }) => runId);
  for (const runId of runIds) await store.claim({ runId, ownerId: null, leaseMs: 1 });
  const expired = (): Promise<readonly string[]> =>
    store.listExpired({ graceMs: 0, limit: count + 1 });
  await expect.poll(expired, PATIENCE).toHaveLength(count);
  return runIds;
}

/** Ends runs, and lets the clock go on. */
async function finish(runs: RunEvents, count: number): Promise<readonly string[]> {
  const runIds: string[] = [];
  for (let at = 0; at < count; at++) {
    const { runId } = await runs.create({ ownerId: "ada" });
    await runs.append(runId, [{ eventType: "RUN_COMPLETED" }]);
    runIds.push(runId);
  }
  const last = Date.now();
  await expect.poll(() => Date.now() - last, PATIENCE).toBeGreaterThan(2);
  return runIds;
}

async function typesOf(runs: RunEvents, runId: string): Promise<readonly string[]> {
  return (await runs.read(runId)).events.map(({ eventType }) => eventType);
}

const STORES: readonly (readonly [string, () => Promise<StoreUrl>])[] = [
  ["memory", async () => ({ kind: "memory" })],
  ["sqlite", async () => ({ kind: "sqlite", path: join(await makeTempFolder(), "runs.db") })],
];

describe.each(STORES)("the upkeep on %s", (_, urlOf) => {
  it("W33: ends a run whose lease has run out, says so and counts it, and leaves all others", async () => {
    const { store, ...runs } = await openRuns(await urlOf());
    const [abandoned = ""] = await abandon(store, runs, 1);
    const others = ["unclaimed", "held", "released"];
    for (const runId of others) await runs.create({ ownerId: "ada", runId });
    await runs.log.claim("held", { leaseMs: 60_000 });
    const { fence } = await runs.log.claim("released", { leaseMs: 60_000 });
    await runs.log.release("released", fence);

    const server = startUpkept(runs.log);
    vi.advanceTimersByTime(4_999);
    expect(await runs.get(abandoned)).toMatchObject({ runStatus: "queued" });
    vi.advanceTimersByTime(1);
    await expect.poll(() => server.counted("runs_expired"), PATIENCE).toBe(1);
    expect(server.logged).toEqual([{ event: "run_expired", runId: abandoned }]);
    const { events, runStatus } = await runs.read(abandoned);
    expect([runStatus, events]).toMatchObject([
      "failed",
      [{ eventType: "RUN_FAILED", payload: { reason: "lease_expired" } }],
    ]);
    for (const runId of others) {
      expect(await runs.get(runId)).toMatchObject({ runStatus: "queued" });
    }
  });

  it("W33: leaves a run alone during the grace", async () => {
    const { store, ...runs } = await openRuns(await urlOf());
    const [runId = ""] = await abandon(store, runs, 1);
    const { upkeep, logged } = startUpkept(runs.log, { leaseGraceMs: 60_000 });
    vi.advanceTimersByTime(5_000);
    await upkeep.stop(30_000);
    expect(await runs.get(runId)).toMatchObject({ runStatus: "queued" });
    expect(logged).toEqual([]);
  });

  it("W33: ends any number of them without waiting for the next interval", async () => {
    const { store, ...runs } = await openRuns(await urlOf());
    const abandoned = await abandon(store, runs, 250);
    const { counted, runsIn } = startUpkept(runs.log);
    vi.advanceTimersByTime(5_000);
    await expect.poll(() => counted("runs_expired"), PATIENCE).toBe(250);
    expect(runsIn("run_expired").toSorted()).toEqual(abandoned.toSorted());
  });

  it("S24: removes what finished before the retention, batch by batch, and says what", async () => {
    const { store: _store, ...runs } = await openRuns(await urlOf());
    const finished = await finish(runs, 250);
    const { runId: live } = await runs.create({ ownerId: "ada" });
    const server = startUpkept(runs.log, { retentionMs: 0.0001 });
    vi.advanceTimersByTime(PURGE_MS - 1);
    expect(server.counted("runs_purged")).toBe(0);
    vi.advanceTimersByTime(1);
    await expect.poll(() => server.counted("runs_purged"), PATIENCE).toBe(250);
    expect(server.runsIn("runs_purged").toSorted()).toEqual(finished.toSorted());
    const lines = server.logged.filter(({ event }) => event === "runs_purged");
    expect(lines.length).toBeGreaterThanOrEqual(3);
    const left = await runs.list({ ownerId: "ada" });
    expect(left.runs.map(({ runId }) => runId)).toEqual([live]);
  });

  it("S24: keeps what is younger, and everything if no retention is set", async () => {
    const { store: _store, ...runs } = await openRuns(await urlOf());
    const [runId = ""] = await finish(runs, 1);
    for (const retentionMs of [36_500 * DAY_MS, DAY_MS, null]) {
      const { upkeep, logged } = startUpkept(runs.log, { retentionMs });
      vi.advanceTimersByTime(PURGE_MS);
      await upkeep.stop(30_000);
      expect(logged).toEqual([]);
    }
    expect(await runs.get(runId)).toMatchObject({ runStatus: "completed" });
  });

  it("W33: that fails is logged and counted, and tries again the next time", async () => {
    const { store, ...runs } = await openRuns(await urlOf());
    const [abandoned = ""] = await abandon(store, runs, 1);
    const cause = new Error("connect ECONNREFUSED");
    const fail = async (): Promise<never> => {
      throw new RunEventsError("store_unavailable", "The store is away.", { cause });
    };
    let isAway = true;
    const flaky: UpkeepOptions["runs"] = {
      reap: (options) => (isAway ? fail() : runs.log.reap(options)),
      purge: (options) => (isAway ? fail() : runs.log.purge(options)),
    };
    const server = startUpkept(flaky, { retentionMs: 36_500 * DAY_MS });
    vi.advanceTimersByTime(PURGE_MS);
    await expect.poll(() => server.counted("upkeep_failures"), PATIENCE).toBeGreaterThan(1);
    await expect.poll(() => server.logged.map(({ task }) => task), PATIENCE).toContain("reap");
    expect(server.logged.map(({ task }) => task)).toContain("purge");
    for (const line of server.logged) {
      expect(line).toMatchObject({ event: "upkeep_failed", code: "store_unavailable" });
    }
    isAway = false;
    vi.advanceTimersByTime(5_000);
    await expect.poll(() => server.runsIn("run_expired"), PATIENCE).toEqual([abandoned]);
  });

  it("W27: ends with the tick under way, before the store is closed", async () => {
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
    await runs.get(abandoned);
    expect(isStopped).toBe(false);
    gate.resolve();
    await stopping;
    await runs.close();
    expect(logged).toEqual([{ event: "run_expired", runId: abandoned }]);
  });
});

describe("the upkeep", () => {
  it("W33: wants looks to be steady for three intervals and for the grace, 15 s at most, and passes that on", async () => {
    const confirmed = [
      [5_000, 60_000],
      [60_000, 0],
      [20, 0],
      [200, 5_000],
      [2_000, 5_000],
    ] as const;
    expect(
      confirmed.map(([reapIntervalMs, leaseGraceMs]) =>
        confirmMsFor({ reapIntervalMs, leaseGraceMs }),
      ),
    ).toEqual([15_000, 15_000, 60, 5_000, 6_000]);
    const asked: unknown[] = [];
    const { upkeep } = startUpkept({
      async reap(options) {
        asked.push(options);
        return [];
      },
      purge: async () => [],
    });
    vi.advanceTimersByTime(5_000);
    await upkeep.stop(10);
    expect(asked).toEqual([{ graceMs: 0, confirmMs: 0 }]);
  });

  it("S24: leaves the age of a run to the store's clock", async () => {
    const asked: unknown[] = [];
    const runs: UpkeepOptions["runs"] = {
      reap: async () => [],
      async purge(options) {
        asked.push(options);
        return [];
      },
    };
    const { upkeep } = startUpkept(runs, { retentionMs: 2 * DAY_MS + 0.5 });
    vi.advanceTimersByTime(PURGE_MS);
    await upkeep.stop(10);
    expect(asked).toEqual([{ finishedForMs: 2 * DAY_MS + 1, limit: 25 }]);
  });

  it("W27: does not wait for ever for a store that says nothing", async () => {
    const { promise: never } = Promise.withResolvers<readonly string[]>();
    const { upkeep, logged } = startUpkept({ reap: () => never, purge: () => never });
    vi.advanceTimersByTime(5_000);
    await upkeep.stop(10);
    expect(logged).toEqual([]);
  });

  it.each([
    ["memory", 1],
    ["sqlite", 3],
  ] as const)(
    "S23: of several on one store each run is ended by one (%s, %d handles)",
    async (kind, handles) => {
      const storeUrl: StoreUrl =
        kind === "memory" ? { kind } : { kind, path: join(await makeTempFolder(), "runs.db") };
      const opened = [await openRuns(storeUrl)];
      while (opened.length < handles) opened.push(await openRuns(storeUrl));
      const [first] = opened;
      if (first === undefined) throw new Error("Expected a store.");
      const abandoned = await abandon(first.store, first, 350);
      const servers = Array.from({ length: 3 }, (_, at) =>
        startUpkept((opened[at % handles] ?? first).log),
      );
      vi.advanceTimersByTime(5_000);
      const ended = (): readonly string[] => servers.flatMap(({ runsIn }) => runsIn("run_expired"));
      await expect.poll(() => ended().length, PATIENCE).toBe(350);
      await Promise.all(servers.map(({ upkeep }) => upkeep.stop(30_000)));
      expect(ended().toSorted()).toEqual(abandoned.toSorted());
      for (const runId of abandoned) expect(await typesOf(first, runId)).toEqual(["RUN_FAILED"]);
      for (const { counted } of servers) expect(counted("upkeep_failures")).toBe(0);
    },
  );
});
