import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { RunEventsError } from "../src/errors.ts";
import { createFollower, type Follower, type FollowerReader } from "../src/follower.ts";
import { createSlice, type Slice, SLICE_BYTES } from "../src/slice.ts";
import { runRecord, appendRequest, newEvent } from "./run-record.ts";
import { createScriptedSource, type ScriptedSource } from "./scripted-source.ts";

const LARGE = JSON.stringify("x".repeat(60_000));

interface Bench {
  readonly source: ScriptedSource;
  readonly follower: Follower;
  /** How often the follower has retired. */
  retired: number;
}

async function createBench(): Promise<Bench> {
  const source = createScriptedSource();
  await source.store.createRun({ runId: "r", ownerId: "ada", metadata: "null" });
  const bench = { source, retired: 0 };
  const follower = createFollower("r", source, () => (bench.retired += 1));
  return Object.assign(bench, { follower });
}

async function append(source: ScriptedSource, ...payloads: readonly string[]): Promise<void> {
  await source.store.append([appendRequest(payloads.map((payload) => newEvent("TOKEN", payload)))]);
}

/** Answers every read, and those that follow from it. */
async function answerAll(source: ScriptedSource): Promise<void> {
  while (source.reads.length > 0) {
    for (const read of [...source.reads]) read.answer();
    await setImmediate();
  }
}

async function ring(source: ScriptedSource): Promise<void> {
  for (const one of source.rings.splice(0)) one();
  await setImmediate();
}

function createReader(): FollowerReader & { wakes: number } {
  const reader = { position: null, wakes: 0, wake: () => void (reader.wakes += 1) };
  return reader;
}

/** Opens a reader and lets it find its place. */
async function open(bench: Bench, since = 0): Promise<FollowerReader & { wakes: number }> {
  const { source, follower } = bench;
  const reader = createReader();
  const opened = follower.open(reader, since, null);
  for (const ready of source.readies) ready.resolve();
  await setImmediate();
  await answerAll(source);
  await opened;
  return reader;
}

/** Reads on to where nothing more is in memory. */
function drain(follower: Follower, reader: FollowerReader): readonly Slice[] {
  const slices: Slice[] = [];
  for (;;) {
    const next = follower.next(reader);
    if (next === null || next instanceof Promise) return slices;
    slices.push(next);
    reader.position = next.to;
  }
}

describe("createFollower", () => {
  it("S13: subscribes first and reads after, once the watch is ready", async () => {
    const { source, follower } = await createBench();
    expect(source.watching()).toBe(1);
    const opened = follower.open(createReader(), 0, null);
    await setImmediate();
    expect(source.reads).toHaveLength(0);
    source.readies[0]?.resolve();
    await setImmediate();
    expect(source.reads).toHaveLength(1);
    source.reads[0]?.answer();
    await expect(opened).resolves.toMatchObject({ runId: "r", lastSequence: 0 });
  });

  it("S13: sees what was committed between the watch and the first read", async () => {
    const bench = await createBench();
    const { source, follower } = bench;
    const reader = createReader();
    const opened = follower.open(reader, 0, null);
    source.readies[0]?.resolve();
    await setImmediate();
    await append(source, "1");
    await ring(source);
    // The read was asked for before the append, and its bell has rung already.
    source.reads[0]?.answer();
    await opened;
    await answerAll(source);
    expect(drain(follower, reader).flatMap((slice) => slice.events)).toMatchObject([
      { sequence: 1 },
    ]);
  });

  it("S12: reads what is new once, and gives every reader at one place the same slice and bytes", async () => {
    const bench = await createBench();
    const { source, follower } = bench;
    const readers = [await open(bench), await open(bench), await open(bench)];
    await append(source, "1", "2");
    await ring(source);
    expect(source.reads).toHaveLength(1);
    await answerAll(source);
    const slices = readers.map((reader) => follower.next(reader)) as readonly Slice[];
    expect(new Set(slices).size).toBe(1);
    expect(new Set(slices.map((slice) => slice.bytes())).size).toBe(1);
    expect(slices[0]?.events.map((event) => event.payload)).toStrictEqual(["1", "2"]);
  });

  it("W25: gives readers at two places the same bytes for the same event", async () => {
    const bench = await createBench();
    const { source, follower } = bench;
    const slow = await open(bench);
    const fast = await open(bench);
    await append(source, "1");
    await ring(source);
    await answerAll(source);
    expect(drain(follower, fast)).toHaveLength(1);
    await append(source, "2");
    await ring(source);
    await answerAll(source);
    const [behind, ahead] = [drain(follower, slow), drain(follower, fast)];
    expect(behind.flatMap((slice) => slice.events.map((event) => event.sequence))).toStrictEqual([
      1, 2,
    ]);
    const text = (slices: readonly Slice[]): string =>
      Buffer.concat(slices.map((slice) => slice.bytes())).toString();
    expect(text(behind)).toContain(text(ahead));
  });

  it("W25: cuts what is in memory into slices of at most 48 KiB, or of one event", async () => {
    const bench = await createBench();
    const { source, follower } = bench;
    const reader = await open(bench);
    const third = JSON.stringify("x".repeat(16_000));
    await append(source, third, third, third, third, LARGE, "1", LARGE);
    await ring(source);
    await answerAll(source);
    const slices = drain(follower, reader);
    expect(slices.map((slice) => slice.events.map((event) => event.sequence))).toStrictEqual([
      [1, 2, 3],
      [4],
      [5],
      [6],
      [7],
    ]);
    for (const slice of slices)
      if (slice.events.length > 1)
        expect(slice.bytes().length).toBeLessThanOrEqual(SLICE_BYTES + 512);
  });

  it("W25: a reader that lags behind what is kept pages through the log, one read for all who ask the same", async () => {
    const bench = await createBench();
    const { source, follower } = bench;
    const [slow, other, fast] = [await open(bench), await open(bench), await open(bench)];
    for (let count = 0; count < 20; count++) {
      await append(source, LARGE);
      await ring(source);
      await answerAll(source);
      drain(follower, fast);
    }
    expect(fast.position?.sequence).toBe(20);
    const pages = [follower.next(slow), follower.next(other)];
    expect(pages[0]).toBeInstanceOf(Promise);
    expect(pages[1]).toBe(pages[0]);
    expect(source.reads).toHaveLength(1);
    await answerAll(source);
    const page = await (pages[0] as Promise<Slice>);
    expect(page.events.map((event) => event.sequence)).toStrictEqual([1]);
    // What is kept is the end of the log: 17 of 60 kB are within 1 MiB.
    slow.position = { ...page.to, sequence: 3 };
    expect(follower.next(slow)).not.toBeInstanceOf(Promise);
    slow.position = { ...page.to, sequence: 2 };
    expect(follower.next(slow)).toBeInstanceOf(Promise);
    await answerAll(source);
  });

  it("S13: a bell that rings while a read is under way is followed by another read", async () => {
    const bench = await createBench();
    const { source, follower } = bench;
    const reader = await open(bench);
    await append(source, "1");
    await ring(source);
    await append(source, "2");
    await ring(source);
    expect(source.reads).toHaveLength(1);
    source.reads[0]?.answer();
    await setImmediate();
    expect(source.reads).toMatchObject([{ query: { since: 1 } }]);
    await answerAll(source);
    expect(source.reads).toHaveLength(0);
    expect(reader.position?.sequence).toBe(0);
    expect(drain(follower, reader).at(-1)?.to.sequence).toBe(2);
  });

  it("has nothing for a reader that has not opened", async () => {
    const { follower } = await createBench();
    expect(follower.next(createReader())).toBeNull();
  });

  it("S14: stops its watch when its last reader has left, however often that is said", async () => {
    const bench = await createBench();
    const { source, follower } = bench;
    const [a, b] = [await open(bench), await open(bench)];
    follower.leave(a);
    follower.leave(a);
    expect([source.watching(), bench.retired]).toStrictEqual([1, 0]);
    follower.leave(b);
    follower.leave(b);
    expect([source.watching(), bench.retired]).toStrictEqual([0, 1]);
  });

  it("S14: a reader that leaves while it opens stops the follower too, and disturbs nothing later", async () => {
    const bench = await createBench();
    const { source, follower } = bench;
    const reader = createReader();
    const opened = follower.open(reader, 0, null);
    source.readies[0]?.resolve();
    await setImmediate();
    follower.leave(reader);
    expect([source.watching(), bench.retired]).toStrictEqual([0, 1]);
    await append(source, "1");
    await answerAll(source);
    await opened;
    expect(source.reads).toHaveLength(0);
    expect(bench.retired).toBe(1);
  });

  it("S20: a watch that cannot be had refuses the reader with the store's error", async () => {
    const bench = await createBench();
    const failure = new RunEventsError("store_unavailable", "No connection.");
    const opened = bench.follower.open(createReader(), 0, null);
    bench.source.readies[0]?.reject(failure);
    await expect(opened).rejects.toBe(failure);
    expect([bench.source.watching(), bench.retired]).toStrictEqual([0, 1]);
  });

  it("W4: refuses a run that is not there, or is somebody else's, alike", async () => {
    const bench = await createBench();
    const { source, follower } = bench;
    const keeper = await open(bench);
    const asked = expect(follower.open(createReader(), 0, "eve")).rejects.toMatchObject({
      code: "not_found",
    });
    await setImmediate();
    await answerAll(source);
    await asked;
    expect([source.watching(), bench.retired]).toStrictEqual([1, 0]);
    follower.leave(keeper);
  });

  it("S1: a log that has lost its end is cursor_ahead to whoever had read it, never silence", async () => {
    const bench = await createBench();
    const { source, follower } = bench;
    await append(source, "1", "2");
    const reader = await open(bench, 2);
    const lost = { run: runRecord({ lastSequence: 1 }), phaseAtSince: null, events: [] };
    const shorter = { ...source, read: () => Promise.resolve(lost) };
    const other = createFollower("r", shorter, () => {});
    const opened = other.open(createReader(), 2, null);
    source.readies.at(-1)?.resolve();
    await expect(opened).rejects.toMatchObject({
      code: "cursor_ahead",
      details: { lastSequence: 1 },
    });
    follower.leave(reader);
  });

  it("W24: a finished run gives a reader at its end the end, at once", async () => {
    const bench = await createBench();
    const { source, follower } = bench;
    await source.store.append([appendRequest([newEvent("TOKEN"), newEvent("RUN_FAILED")])]);
    for (const since of [2, 3]) {
      const reader = await open(bench, since);
      const slice = follower.next(reader) as Slice;
      expect(slice).toMatchObject({
        events: [],
        finished: true,
        to: { sequence: 2, runStatus: "failed" },
      });
      expect(slice.bytes()).toStrictEqual(
        createSlice(slice.to, [], runRecord({ lastSequence: 2 })).bytes(),
      );
    }
  });

  it("S17: a deleted run ends its readers, whoever holds the bell", async () => {
    const bench = await createBench();
    const { source, follower } = bench;
    const reader = await open(bench);
    await source.store.append([appendRequest([newEvent("RUN_FAILED")])]);
    await source.store.deleteRun("r", null);
    await ring(source);
    await answerAll(source);
    expect(reader.wakes).toBe(1);
    expect(() => follower.next(reader)).toThrow(expect.objectContaining({ code: "not_found" }));
    expect([source.watching(), bench.retired]).toStrictEqual([0, 1]);
  });
});
