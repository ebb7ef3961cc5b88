import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Slice, SLICE_BYTES } from "../src/follow/slice.ts";
import {
  answerAll,
  append,
  createFollowerBench,
  createReader,
  drain,
  open,
  notify,
} from "./follower-bench.ts";
import { RunEventsError } from "../src/rules/errors.ts";
import { RUN } from "./run-writes.ts";

const LARGE = JSON.stringify("x".repeat(60_000));

describe("what a follower gives its readers", () => {
  it("S12: a follower reads new events once, and gives every reader at one position the same slice and bytes", async () => {
    const bench = await createFollowerBench();
    const { source, follower } = bench;
    const readers = [await open(bench), await open(bench), await open(bench)];
    await append(source, "1", "2");
    await notify(source);
    expect(source.reads).toHaveLength(1);
    await answerAll(source);
    const slices = readers.map((reader) => follower.next(reader)) as readonly Slice[];
    expect(new Set(slices).size).toBe(1);
    expect(new Set(slices.map((slice) => slice.bytes(null))).size).toBe(1);
    expect(slices[0]?.events.map((event) => event.payload)).toStrictEqual(["1", "2"]);
  });

  it("W25: a follower cuts the events in memory into slices of at most 48 KiB, or of one event", async () => {
    const bench = await createFollowerBench();
    const { source, follower } = bench;
    const reader = await open(bench);
    const third = JSON.stringify("x".repeat(16_000));
    await append(source, third, third, third, third, LARGE, "1", LARGE);
    await notify(source);
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
        expect(slice.bytes(null).length).toBeLessThanOrEqual(SLICE_BYTES + 512);
  });

  it("W25: a reader that lags behind the events in memory pages through the log, with one read for all at its position", async () => {
    const bench = await createFollowerBench();
    const { source, follower } = bench;
    const [slow, other, fast] = [await open(bench), await open(bench), await open(bench)];
    for (let count = 0; count < 20; count++) {
      await append(source, LARGE);
      await notify(source);
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
    // The end of the log is kept: 4 events of 60 kB are within 256 KiB.
    const query = { ...RUN, since: 0, limit: 20, maxBytes: 9_000_000 };
    const [log] = await source.store.read([query]);
    const placeAt = (sequence: number): Slice["to"] => {
      return { ...page.to, sequence, atMs: log?.events[sequence - 1]?.createdAtMs ?? 0 };
    };
    slow.position = placeAt(16);
    expect(follower.next(slow)).not.toBeInstanceOf(Promise);
    slow.position = placeAt(15);
    expect(follower.next(slow)).toBeInstanceOf(Promise);
    await answerAll(source);
  });

  it("W22, W25: readers that lag get every event once and in order, in pages that fit, escapes counted", async () => {
    const text = fc.tuple(fc.constantFrom("x", "é", "\u2028"), fc.constantFrom(1, 3_000, 60_000));
    const starts = fc.array(fc.nat(), { minLength: 1, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(fc.array(text, { minLength: 1, maxLength: 20 }), starts, async (log, at) => {
        const bench = await createFollowerBench();
        const { source, follower } = bench;
        await append(source, ...log.map(([unit, count]) => JSON.stringify(unit.repeat(count))));
        const readers = [];
        for (const start of at) readers.push(await open(bench, start % log.length));
        for (const reader of readers) {
          const since = reader.position?.sequence ?? 0;
          const had: number[] = [];
          while (since + had.length < log.length) {
            const coming = follower.next(reader) as Promise<Slice>;
            await answerAll(source);
            const page = await coming;
            if (page.events.length > 1)
              expect(page.bytes(null).length).toBeLessThanOrEqual(SLICE_BYTES);
            had.push(...page.events.map(({ sequence }) => sequence));
            reader.position = page.to;
          }
          expect(had).toStrictEqual(had.map((_, index) => since + index + 1));
        }
      }),
      { numRuns: 50 },
    );
  });

  it("S20: a page that fails fails all readers that wait for it, and a later reader reads again", async () => {
    const bench = await createFollowerBench();
    const { source, follower } = bench;
    await append(source, "1");
    const reader = await open(bench);
    const waiting = [follower.next(reader), follower.next(reader)];
    source.reads[0]?.reject(new Error("no"));
    for (const one of waiting) await expect(one).rejects.toThrow("no");
    const later = follower.next(reader) as Promise<Slice>;
    await answerAll(source);
    expect((await later).to.sequence).toBe(1);
  });

  it("S20: a subscription that fails refuses the reader with the store's error", async () => {
    const bench = await createFollowerBench();
    const failure = new RunEventsError("store_unavailable", "No connection.");
    const opened = bench.follower.open(createReader(), 0);
    bench.source.readies[0]?.reject(failure);
    await expect(opened).rejects.toBe(failure);
    expect([bench.source.subscriptions(), bench.retired]).toStrictEqual([0, 1]);
  });
});
