import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { FollowerReader } from "../src/follow/reader-set.ts";
import { Followers } from "../src/follow/followers.ts";
import { readAfter } from "../src/log/read-after.ts";
import { createMemoryStore } from "../src/store/memory.ts";
import { createFakeClock, type FakeClock } from "./fake-clock.ts";
import { createRunWrites, RUN } from "./run-writes.ts";
import { createScriptedSource, type ScriptedSource } from "./scripted-source.ts";

const reader = (): FollowerReader => ({ position: null, stalled: false, onNotification: () => {} });

async function createBench(): Promise<{
  source: ScriptedSource;
  clock: FakeClock;
  followers: Followers;
}> {
  const [source, clock] = [createScriptedSource(), createFakeClock()];
  for (const runId of ["a", "b"]) await source.writes.create({ ...RUN, runId });
  return { source, clock, followers: new Followers(source, clock) };
}

describe("the followers of a process", () => {
  it("S13: a run with any number of readers is followed once, and a run without readers is not followed", async () => {
    const { source, clock, followers } = await createBench();
    expect([source.subscriptions(), clock.timers()]).toStrictEqual([0, 0]);
    const readers = [reader(), reader(), reader()] as const;
    const opened = readers.map((one, at) =>
      followers.open({ ...RUN, runId: at < 2 ? "a" : "b" }, one, {}),
    );
    expect(opened[0]?.follower).toBe(opened[1]?.follower);
    expect([source.subscriptions(), clock.timers()]).toStrictEqual([2, 1]);
    opened.forEach(({ follower }, at) => follower.leave(readers[at] ?? reader()));
    expect([source.subscriptions(), clock.timers()]).toStrictEqual([0, 0]);
    const again = followers.open({ ...RUN, runId: "a" }, reader(), {});
    expect(again.follower).not.toBe(opened[0]?.follower);
    expect([source.subscriptions(), clock.timers()]).toStrictEqual([1, 1]);
    followers.close();
  });

  /** Followers on a store that never notifies, and the times at which a run was read again. */
  function createUnnotifiedBench(chosen: string) {
    const [store, clock] = [createMemoryStore(), createFakeClock()];
    const writes = createRunWrites(store);
    const startedAt = clock.now();
    const readAt: number[] = [];
    let count = 0;
    const followers = new Followers(
      {
        subscribe: () => ({ ready: Promise.resolve(), stop() {} }),
        async read(query) {
          // An opening reads one event.
          if (query.limit > 1) count += 1;
          if (query.runId === chosen && query.limit > 1) readAt.push(clock.now() - startedAt);
          return readAfter(async (asked) => (await store.read([asked]))[0] ?? null, query);
        },
      },
      clock,
    );
    async function come(runId: string): Promise<() => void> {
      await writes.create({ ...RUN, runId });
      const one = reader();
      const { follower, opened } = followers.open({ ...RUN, runId }, one, {});
      await opened;
      return () => follower.leave(one);
    }
    return { clock, followers, readAt, reads: () => count, come };
  }

  it.each([
    { runs: 1, roundMs: 5_000 },
    { runs: 250, roundMs: 5_000 },
    { runs: 251, roundMs: 6_000 },
    { runs: 1_000, roundMs: 20_000 },
  ])(
    "S13: each of $runs runs is read again every $roundMs ms, never more than 50 a second",
    async ({ runs, roundMs }) => {
      const { clock, followers, readAt, reads, come } = createUnnotifiedBench(`run-${runs - 1}`);
      for (let at = 0; at < runs; at++) await come(`run-${at}`);
      const firstMs = 5_000 + (Math.ceil(runs / 50) - 1) * 1_000;
      for (let ms = 0; ms < firstMs + 2 * roundMs; ms += 1_000) {
        const before = reads();
        clock.advance(1_000);
        await setImmediate();
        expect(reads() - before).toBeLessThanOrEqual(50);
      }
      expect(readAt).toStrictEqual([firstMs, firstMs + roundMs, firstMs + 2 * roundMs]);
      followers.close();
    },
  );

  it("S13: a run is read again, even if many others come and go", async () => {
    const { clock, followers, readAt, come } = createUnnotifiedBench("old");
    await come("old");
    // 60 a second, which stay for 10 s: more come in a round than it reads.
    const leaving: { readonly atMs: number; readonly leave: () => void }[] = [];
    for (let ms = 0; ms < 60_000; ms += 250) {
      for (let count = 0; count < 15; count++) {
        leaving.push({ atMs: ms + 10_000, leave: await come(`${ms}-${count}`) });
      }
      while (leaving[0] !== undefined && leaving[0].atMs <= ms) leaving.shift()?.leave();
      clock.advance(250);
      await setImmediate();
    }
    expect(readAt.length).toBeGreaterThanOrEqual(3);
    followers.close();
  });

  it("S18: close ends every reader with store_unavailable, and opens nothing afterwards", async () => {
    const { source, clock, followers } = await createBench();
    let notifications = 0;
    const readers = ["a", "b"].map((): FollowerReader => ({
      position: null,
      stalled: false,
      onNotification: () => (notifications += 1),
    }));
    const opened = readers.map((one, at) =>
      followers.open({ ...RUN, runId: at === 0 ? "a" : "b" }, one, {}),
    );
    followers.close();
    followers.close();
    expect([source.subscriptions(), clock.timers(), notifications]).toStrictEqual([0, 0, 2]);
    opened.forEach(({ follower }, at) => {
      expect(() => follower.next(readers[at] ?? reader())).toThrow(
        expect.objectContaining({ code: "store_unavailable" }),
      );
    });
    expect(() => followers.open({ ...RUN, runId: "a" }, reader(), {})).toThrow(
      expect.objectContaining({ code: "store_unavailable" }),
    );
    expect([source.subscriptions(), clock.timers()]).toStrictEqual([0, 0]);
  });
});
