import { Follower } from "../src/follow/follower.ts";
import { createSlice, type Slice } from "../src/follow/slice.ts";
import { RunEventsError } from "../src/rules/errors.ts";
import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import {
  answerAll,
  append,
  createFollowerBench,
  createReader,
  drain,
  open,
  notify,
} from "./follower-bench.ts";
import { appendRequest, newEvent, runRecord } from "./run-record.ts";
import { RUN } from "./run-writes.ts";

describe("a follower", () => {
  it("S13: a follower subscribes first and reads after, once the subscription is ready", async () => {
    const { source, follower } = await createFollowerBench();
    expect(source.subscriptions()).toBe(1);
    const opened = follower.open(createReader(), 0);
    await setImmediate();
    expect(source.reads).toHaveLength(0);
    source.readies[0]?.resolve();
    await setImmediate();
    expect(source.reads).toHaveLength(1);
    source.reads[0]?.answer();
    await expect(opened).resolves.toMatchObject({ runId: "r", lastSequence: 0 });
  });

  it("S13: a follower sees what was committed between the subscription and the first read", async () => {
    const bench = await createFollowerBench();
    const { source, follower } = bench;
    const reader = createReader();
    const opened = follower.open(reader, 0);
    source.readies[0]?.resolve();
    await setImmediate();
    await append(source, "1");
    await notify(source);
    // The read began before the append, whose notification has come already.
    source.reads[0]?.answer();
    await opened;
    await answerAll(source);
    expect(drain(follower, reader).flatMap((slice) => slice.events)).toMatchObject([
      { sequence: 1 },
    ]);
  });

  it("S13: a notification while a read is under way is followed by another read", async () => {
    const bench = await createFollowerBench();
    const { source, follower } = bench;
    const reader = await open(bench);
    await append(source, "1");
    await notify(source);
    await append(source, "2");
    await notify(source);
    expect(source.reads).toHaveLength(1);
    source.reads[0]?.answer();
    await setImmediate();
    expect(source.reads).toMatchObject([{ query: { since: 1 } }]);
    await answerAll(source);
    expect(source.reads).toHaveLength(0);
    expect(reader.position?.sequence).toBe(0);
    expect(drain(follower, reader).at(-1)?.to.sequence).toBe(2);
  });

  it("S13: a new reader that sees more than has been read brings it to all readers, though the notification was lost", async () => {
    const bench = await createFollowerBench();
    const { source, follower } = bench;
    const first = await open(bench);
    await append(source, "1");
    source.notifyCount.splice(0);
    await open(bench, 1);
    expect(first.notifications).toBeGreaterThan(0);
    expect(drain(follower, first).at(-1)?.to.sequence).toBe(1);
  });

  it("a follower has nothing for a reader that has not opened", async () => {
    const { follower } = await createFollowerBench();
    expect(follower.next(createReader())).toBeNull();
  });

  it("S13: a follower stops its subscription when its last reader has left, even if it leaves twice", async () => {
    const bench = await createFollowerBench();
    const { source, follower } = bench;
    const [a, b] = [await open(bench), await open(bench)];
    follower.leave(a);
    follower.leave(a);
    expect([source.subscriptions(), bench.retired]).toStrictEqual([1, 0]);
    follower.leave(b);
    follower.leave(b);
    expect([source.subscriptions(), bench.retired]).toStrictEqual([0, 1]);
  });

  it("S13: a reader that leaves while it opens stops the follower too, and disturbs nothing later", async () => {
    const bench = await createFollowerBench();
    const { source, follower } = bench;
    const reader = createReader();
    const opened = follower.open(reader, 0);
    source.readies[0]?.resolve();
    await setImmediate();
    follower.leave(reader);
    expect([source.subscriptions(), bench.retired]).toStrictEqual([0, 1]);
    await append(source, "1");
    await answerAll(source);
    await opened;
    expect(source.reads).toHaveLength(0);
    expect(bench.retired).toBe(1);
  });

  it("S20: a subscription that fails refuses the reader with the store's error", async () => {
    const bench = await createFollowerBench();
    const failure = new RunEventsError("store_unavailable", "No connection.");
    const opened = bench.follower.open(createReader(), 0);
    bench.source.readies[0]?.reject(failure);
    await expect(opened).rejects.toBe(failure);
    expect([bench.source.subscriptions(), bench.retired]).toStrictEqual([0, 1]);
  });

  it("S1: a log that has lost its end is cursor_ahead for readers past it, never silence", async () => {
    const bench = await createFollowerBench();
    const { source, follower } = bench;
    await append(source, "1", "2");
    const reader = await open(bench, 2);
    const run = runRecord({ lastSequence: 1 });
    const lost = { run, events: [] };
    const shorter = { ...source, read: () => Promise.resolve(lost) };
    const other = new Follower(RUN, shorter, { left: 2 ** 26 }, () => {});
    const opened = other.open(createReader(), 2);
    source.readies.at(-1)?.resolve();
    await expect(opened).rejects.toMatchObject({
      code: "cursor_ahead",
      details: { lastSequence: 1 },
    });
    follower.leave(reader);
  });

  it("W24: a finished run gives a reader at its end the end, at once", async () => {
    const bench = await createFollowerBench();
    const { source, follower } = bench;
    await source.writes.append(appendRequest([newEvent("TOKEN"), newEvent("RUN_FAILED")]));
    for (const since of [2, 3]) {
      const reader = await open(bench, since);
      const slice = follower.next(reader) as Slice;
      expect(slice).toMatchObject({
        events: [],
        finished: true,
        to: { sequence: 2 },
        head: { runStatus: "failed", lastSequence: 2 },
      });
      expect(slice.bytes(null)).toStrictEqual(createSlice(slice.to, [], slice.head).bytes(null));
    }
  });

  it("S17: a deleted run ends its readers, and notifies them", async () => {
    const bench = await createFollowerBench();
    const { source, follower } = bench;
    const reader = await open(bench);
    await source.writes.append(appendRequest([newEvent("RUN_FAILED")]));
    await source.writes.remove(RUN);
    await notify(source);
    await answerAll(source);
    expect(reader.notifications).toBe(1);
    expect(() => follower.next(reader)).toThrow(expect.objectContaining({ code: "not_found" }));
    expect([source.subscriptions(), bench.retired]).toStrictEqual([0, 1]);
  });
});
