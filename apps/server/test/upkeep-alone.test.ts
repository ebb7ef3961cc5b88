import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { StoreUrl } from "../src/store-url.ts";
import { confirmMsFor, type UpkeepOptions } from "../src/upkeep.ts";
import { makeTempFolder } from "./start-server.ts";
import { abandon, DAY_MS, openRuns, PATIENCE, PURGE_MS, startUpkept, typesOf } from "./upkept.ts";

// Time passes as the tests say where the upkeep waits, and by itself in the stores.
beforeEach(() => void vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] }));
afterEach(() => void vi.useRealTimers());

it("W33: the upkeep requires steady checks for three intervals and for the grace, 15 s at most", async () => {
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

it("S17: the upkeep leaves the age of a run to the store's clock", async () => {
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
  expect(asked).toEqual([{ finishedForMs: 2 * DAY_MS + 1 }]);
});

it("W27: the upkeep does not wait for ever for a store that does not answer", async () => {
  const { promise: never } = Promise.withResolvers<never>();
  const { upkeep, logged } = startUpkept({ reap: () => never, purge: () => never });
  vi.advanceTimersByTime(5_000);
  await upkeep.stop(10);
  expect(logged).toEqual([]);
});

it.each([
  ["memory", 1],
  ["sqlite", 3],
] as const)(
  "S23: of several upkeeps on one store each run is ended by one (%s, %d handles)",
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
    for (const { counted } of opened) expect(counted("upkeep_failures")).toBe(0);
  },
);
