import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { startTicks, type Ticks } from "../src/ticks.ts";

const FAKED = [
  "setInterval",
  "clearInterval",
  "setTimeout",
  "clearTimeout",
  "performance",
] as const;
beforeEach(() => void vi.useFakeTimers({ toFake: [...FAKED] }));
afterEach(() => void vi.useRealTimers());

/** Ticks every 100 ms that the test ends. */
function startScripted(restAfter?: (tookMs: number) => number): {
  readonly ticks: Ticks;
  /** The number of ticks that have begun. */
  begun(): number;
  /** Ends the one under way, and lets happen what then happens. */
  end(hasMore: boolean): Promise<void>;
} {
  const begun: PromiseWithResolvers<boolean>[] = [];
  const ticks = startTicks(
    100,
    () => {
      const tick = Promise.withResolvers<boolean>();
      begun.push(tick);
      return tick.promise;
    },
    restAfter,
  );
  return {
    ticks,
    begun: () => begun.length,
    async end(hasMore) {
      begun.at(-1)?.resolve(hasMore);
      for (let turn = 0; turn < 3; turn++) await nextTurn();
    },
  };
}

describe("ticks", () => {
  it("ticks come every interval, the first after one", async () => {
    const { ticks, begun, end } = startScripted();
    vi.advanceTimersByTime(99);
    expect(begun()).toBe(0);
    for (let count = 1; count < 4; count++) {
      vi.advanceTimersByTime(count === 1 ? 1 : 100);
      expect(begun()).toBe(count);
      await end(false);
    }
    expect(begun()).toBe(3);
    await ticks.stop();
  });

  it("ticks never overlap: after one that took long the next follows at once, and only one", async () => {
    const { ticks, begun, end } = startScripted();
    vi.advanceTimersByTime(100);
    vi.advanceTimersByTime(1_000);
    expect(begun()).toBe(1);
    await end(false);
    expect(begun()).toBe(2);
    await end(false);
    expect(begun()).toBe(2);
    await ticks.stop();
  });

  it("ticks follow each other at once while work is left, with a turn of the event loop in between", async () => {
    const { ticks, begun, end } = startScripted();
    vi.advanceTimersByTime(100);
    let turnsOfOthers = 0;
    for (let count = 1; count < 5; count++) {
      expect(begun()).toBe(count);
      setImmediate(() => (turnsOfOthers += 1));
      await end(count < 4);
    }
    expect([begun(), turnsOfOthers]).toEqual([4, 4]);
    await ticks.stop();
  });

  it("ticks rest after each one for as long as the rule says", async () => {
    const { ticks, begun, end } = startScripted((tookMs) => 3 * tookMs);
    vi.advanceTimersByTime(100);
    for (const tookMs of [30, 7]) {
      const before = begun();
      vi.advanceTimersByTime(tookMs);
      await end(true);
      vi.advanceTimersByTime(3 * tookMs - 1);
      await nextTurn();
      expect(begun()).toBe(before);
      vi.advanceTimersByTime(1);
      await nextTurn();
      expect(begun()).toBe(before + 1);
    }
    await Promise.all([ticks.stop(), end(true)]);
  });

  it("ticks end even during a rest", async () => {
    const { ticks, begun, end } = startScripted((tookMs) => 3 * tookMs);
    vi.advanceTimersByTime(100);
    vi.advanceTimersByTime(10);
    await end(true);
    await ticks.stop();
    vi.advanceTimersByTime(1_000);
    expect([begun(), vi.getTimerCount()]).toEqual([1, 0]);
  });

  it("ticks end with the one under way, for all callers of stop, even if work is left", async () => {
    const { ticks, begun, end } = startScripted();
    vi.advanceTimersByTime(100);
    let stopped = 0;
    const stopping = [ticks.stop(), ticks.stop()].map((stop) => stop.then(() => (stopped += 1)));
    await nextTurn();
    expect(stopped).toBe(0);
    await end(true);
    await Promise.all(stopping);
    vi.advanceTimersByTime(1_000);
    expect([begun(), vi.getTimerCount()]).toEqual([1, 0]);
    await ticks.stop();
  });
});
