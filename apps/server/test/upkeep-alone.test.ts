import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { confirmMsFor, type UpkeepOptions } from "../src/upkeep.ts";
import { DAY_MS, PURGE_MS, startUpkept } from "./upkept.ts";

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
