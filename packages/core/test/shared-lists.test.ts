import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { STATE_PAUSE_MS } from "../src/follow/feed-state.ts";
import { news, reader, settle, world } from "./changes-world.ts";

const FEEDS = 32;
const TOKEN = [{ eventType: "TOKEN" }];

/** Makes this many readers of ada's runs. Each begins after another change, so that no two begin at the same cursor. */
async function manyReaders(liveRuns: number) {
  const made = world();
  const { runs, clock, calls } = made;
  for (let at = 0; at < liveRuns; at++) await runs.create({ ownerId: "ada", runId: `r${at}` });
  const readers: ReturnType<typeof reader>[] = [];
  const pass = async (): Promise<void> => {
    await settle();
    clock.advance(STATE_PAUSE_MS);
    await settle();
  };
  for (let at = 0; at < FEEDS; at++) {
    readers.push(reader(runs));
    await settle();
    await runs.append(`r${at % liveRuns}`, TOKEN);
  }
  // Their subscriptions are ready, and what has changed meanwhile has come.
  for (let pause = 0; pause < 5; pause++) await pass();
  const begin = (): void => {
    for (const { taken } of readers) news(taken);
    calls.listChanged = 0;
    calls.read = 0;
  };
  begin();
  return { ...made, readers, pass, begin };
}

describe("the lists of many feeds of one owner", () => {
  it("S12, S29, W48: a run that is created costs one list and one read, however many feeds there are", async () => {
    const { runs, calls, readers, pass, begin } = await manyReaders(100);
    for (const runId of ["new", "newer"]) {
      begin();
      await runs.create({ ownerId: "ada", runId });
      for (let pause = 0; pause < 4; pause++) await pass();
      expect([calls.listChanged, calls.read]).toEqual([1, 1]);
      for (const { taken } of readers) expect(news(taken)).toEqual([`${runId} queued 0`]);
    }
    await runs.close();
  });

  it("S12, S29, W48: runs that are created one after the other cost four lists a second", async () => {
    const { runs, clock, calls, readers, begin } = await manyReaders(50);
    begin();
    for (let at = 0; at < 100; at++) {
      await runs.create({ ownerId: "ada", runId: `new-${at}` });
      for (let turn = 0; turn < 6; turn++) await setImmediate();
      clock.advance(10);
    }
    await settle();
    clock.advance(STATE_PAUSE_MS);
    await settle();
    // More room than four lists a second need, in case that a list comes in several pages.
    expect(calls.listChanged).toBeLessThanOrEqual(5 + Math.ceil(100 / 16));
    for (const { taken } of readers)
      expect(new Set(news(taken).map((words) => words.split(" ")[0])).size).toBe(100);
    await runs.close();
  });

  it("S29, W48: a list that one feed has begun is not the answer to another feed that was notified after that", async () => {
    const { runs, clock, readers, pass } = await manyReaders(2);
    for (const at of [0, 1, 2]) {
      await runs.create({ ownerId: "ada", runId: `new-${at}` });
      await settle();
      await runs.append(`new-${at}`, [{ eventType: "RUN_COMPLETED" }]);
    }
    for (let pause = 0; pause < 3; pause++) await pass();
    for (const { taken } of readers)
      expect(news(taken).filter((words) => words.includes("completed")).length).toBe(3);
    expect(clock.timers()).toBeGreaterThan(0);
    await runs.close();
    expect(clock.timers()).toBe(0);
  });

  it("W48: a poll and a feed of one owner take turns, and share what they ask for", async () => {
    const { runs, calls } = await manyReaders(3);
    const polls = Array.from({ length: 20 }, () =>
      runs.changes({ ownerId: "ada" })[Symbol.asyncIterator]().next(),
    );
    await Promise.all(polls);
    expect(calls.listChanged).toBe(1);
    await runs.close();
  });
});
