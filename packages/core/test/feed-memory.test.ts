import { describe, expect, it } from "vitest";
import { createMemoryStore } from "../src/index.ts";
import type { ListPage } from "../src/follow/list-reader.ts";
import { partsOf } from "../src/log/run-log.ts";
import { SLICE_BYTES } from "../src/follow/slice.ts";
import type { RunEventStore } from "../src/store/store.ts";
import { leave, settle } from "./feed-bench.ts";
import { createRunsBench, wordsOf } from "./stream-bench.ts";

const LARGE = "x".repeat(250_000);
const RUNS = 16;
const FEEDS = 32;

/** A memory store that counts the events that it has read. */
function countingStore(): RunEventStore & { events: number } {
  const memory = createMemoryStore({ now: () => 1_000 });
  const store = {
    ...memory,
    events: 0,
    async read(queries: Parameters<RunEventStore["read"]>[0]) {
      const results = await memory.read(queries);
      for (const result of results) store.events += result?.events.length ?? 0;
      return results;
    },
  };
  return store;
}

/** Ada's runs, each with so much metadata and such a last event. */
async function benchOf(metadata: string, payload: string) {
  const store = countingStore();
  const bench = await createRunsBench([], {}, store);
  for (let at = 0; at < RUNS; at++) {
    await bench.log.createRun({ runId: `r${at}`, ownerId: "ada", metadata });
    await bench.append(`r${at}`, ["NOTE"], payload);
  }
  store.events = 0;
  return { ...bench, store };
}

function bytesOf({ runs }: ListPage): number {
  const sizes = runs.map(({ run, last }) => run.metadata.length + (last?.payload.length ?? 0));
  return sizes.reduce((sum, size) => sum + size, 0);
}

const SIZES = [
  ["large metadata", LARGE, "x", RUNS],
  ["large last events", "x", LARGE, RUNS],
  // These are the first that have more than 4 MiB together.
  ["both large", LARGE, LARGE, 9],
  ["some of 12 KB", "x".repeat(6_000), "x".repeat(6_000), RUNS],
] as const;

describe("what a feed holds", () => {
  for (const [name, metadata, payload, most] of SIZES) {
    it(`W25, W48: ${name}: a page has 48 KiB or one run, and the runs come with their last events, until 4 MiB of them`, async () => {
      const { log } = await benchOf(metadata, payload);
      const seen = new Set<string>();
      const scope = { ownerId: "ada", topic: null };
      const reader = partsOf(log).watches.open(scope, { have: null, withLast: true });
      for (;;) {
        const page = await reader.next();
        if (page.runs.length > 1) expect(bytesOf(page)).toBeLessThanOrEqual(SLICE_BYTES);
        for (const { run, last } of page.runs) {
          expect([last?.sequence, seen.has(run.runId)]).toEqual([1, false]);
          seen.add(run.runId);
        }
        if (page.isWhole) expect(page.more).toBe(most < RUNS);
        if (!page.hasMore) break;
      }
      expect(seen.size).toBe(most);
      reader.leave();
      await log.close();
    });

    it(`W25, W48: ${name}: feeds whose readers take one frame read one page each, and go on when they take more`, async () => {
      const bench = await benchOf(metadata, payload);
      let takes = false;
      const opened = [];
      for (let at = 0; at < FEEDS; at++)
        opened.push(await bench.open([], () => takes, { withLast: true }));
      await settle();
      // The readers have `stream_opened`, and each feed holds one page.
      for (const { sink } of opened) expect(wordsOf(sink.frames)).toEqual(["stream_opened"]);
      expect(bench.store.events).toBeLessThanOrEqual(FEEDS * 4);
      takes = true;
      for (const one of opened.splice(2)) leave(bench, one);
      for (const { sink, stream } of opened) {
        sink.drain();
        stream.drained();
      }
      for (let turns = 0; turns < 10; turns++) await settle();
      for (const one of opened) {
        const words = wordsOf(one.sink.frames);
        expect(words.filter((word) => word.startsWith("run r")).toSorted()).toEqual(
          Array.from({ length: most }, (_, at) => `run r${RUNS - 1 - at} 1`).toSorted(),
        );
        const end = `feed_version ${most < RUNS}`;
        expect(words.filter((word) => word === end)).toHaveLength(1);
        expect([words[1], words.at(-1)]).toEqual(["feed_started false", end]);
        leave(bench, one);
      }
      expect(bench.clock.timers()).toBe(0);
    });
  }
});
