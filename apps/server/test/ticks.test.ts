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

/** Ticks every 100 ms that end when the test says so. */
function startScripted(share?: number): {
  readonly ticks: Ticks;
  /** How many have begun. */
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
    share,
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
  it("come every interval, the first after one", async () => {
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

  it("are never two at once: one that fell due meanwhile follows at once, however many there were", async () => {
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

  it("follow each other at once while there is more to do, but leave the others their turn", async () => {
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

  it("rest so long that they have no more than their share of the time", async () => {
    const { ticks, begun, end } = startScripted(0.25);
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

  it("end in the middle of a rest", async () => {
    const { ticks, begun, end } = startScripted(0.25);
    vi.advanceTimersByTime(100);
    vi.advanceTimersByTime(10);
    await end(true);
    await ticks.stop();
    vi.advanceTimersByTime(1_000);
    expect([begun(), vi.getTimerCount()]).toEqual([1, 0]);
  });

  it("end with the one under way, for all who ask, whatever more there was", async () => {
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
