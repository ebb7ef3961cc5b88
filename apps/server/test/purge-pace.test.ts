import { setImmediate as nextTurn } from "node:timers/promises";
import fc from "fast-check";
import { expect, it, onTestFinished, vi } from "vitest";
import { restAfterBatch } from "../src/upkeep.ts";
import { PURGE_MS, startUpkept } from "./upkept.ts";

it("S17: a purge takes at most a third of the time, however long its batches take, and rests 3 ms at least", () => {
  const took = fc.array(fc.double({ min: 0, max: 60_000, noNaN: true }), { minLength: 1 });
  fc.assert(
    fc.property(took, (batches) => {
      const sum = (all: readonly number[]): number => all.reduce((before, ms) => before + ms, 0);
      const rests = batches.map(restAfterBatch);
      expect(sum(rests)).toBeGreaterThanOrEqual(2 * sum(batches));
      expect(Math.min(...rests)).toBeGreaterThanOrEqual(3);
    }),
  );
});

it("S17: the upkeep removes 100,000 old runs in 60 s from a store that takes 0.15 ms for each", async () => {
  vi.useFakeTimers({
    toFake: ["setInterval", "clearInterval", "setTimeout", "clearTimeout", "performance"],
  });
  onTestFinished(() => void vi.useRealTimers());
  let left = 100_000;
  const server = startUpkept(
    {
      reap: async () => [],
      async purge({ limit = 100 }) {
        const removed = Math.min(left, limit);
        left -= removed;
        vi.advanceTimersByTime(removed * 0.15);
        return Array.from({ length: removed }, () => ({ ownerId: "ada", runId: "run" }));
      },
    },
    { retentionMs: 1 },
  );
  vi.advanceTimersByTime(PURGE_MS);
  const startedAt = performance.now();
  while (left > 0 && performance.now() - startedAt < 60_000) {
    await nextTurn();
    vi.advanceTimersByTime(1);
  }
  expect(left).toBe(0);
  await nextTurn();
  await server.upkeep.stop(0);
});
