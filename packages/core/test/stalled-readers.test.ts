import { setImmediate } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { createMemoryStore } from "../src/store/memory.ts";
import type { RunEventStore } from "../src/store/store.ts";
import { createStreamBench, typesOf } from "./stream-bench.ts";

/** The type of the events whose encodings are counted. */
const COUNTED = "W25_TOKEN";

/** The work of a server for these appends while this many readers are stalled. */
async function work(stalled: number, live: number, appends: number): Promise<Work> {
  const inner = createMemoryStore({ now: () => 1_000 });
  let reads = 0;
  const store: RunEventStore = {
    ...inner,
    read(queries) {
      reads += queries.length;
      return inner.read(queries);
    },
  };
  const limits = { maxStreamsPerUser: stalled + live };
  const { open, append, clock } = await createStreamBench(limits, store);
  let takes = true;
  const readers = [];
  for (let count = 0; count < stalled; count++) readers.push(await open(0, "ada", () => takes));
  const others = [];
  for (let count = 0; count < live; count++) others.push(await open());
  // The one event that each stalled reader takes, and is full with.
  takes = false;
  await append("TOKEN");
  await settle();
  reads = 0;
  const encode = vi.spyOn(TextEncoder.prototype, "encodeInto");
  for (let count = 0; count < appends; count++) {
    await append(COUNTED);
    await settle();
  }
  // The recheck reads every followed run.
  clock.advance(5_000);
  await settle();
  // Not the measuring of payloads, and no frame of another file's stream: the files of a worker share its encoder.
  const frames = encode.mock.calls.filter(
    ([text]) => text.includes(`data: {"type":"run_event"`) && text.includes(COUNTED),
  );
  const done = { reads, encodes: frames.length };
  encode.mockRestore();
  takes = true;
  for (const { sink, stream } of readers) {
    sink.drain();
    stream.drained();
  }
  await settle();
  for (const { sink } of [...readers, ...others]) {
    expect(sink.faults).toStrictEqual([]);
    expect(typesOf(sink).filter((type) => type === "run_event")).toHaveLength(1 + appends);
  }
  return done;
}

interface Work {
  readonly reads: number;
  readonly encodes: number;
}

/** Long enough for a group of reads to be sent and answered, twice. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 8; turn++) await setImmediate();
}

const appends = fc.integer({ min: 1, max: 5 });
const some = fc.integer({ min: 1, max: 30 });

describe("stalled readers", () => {
  it("W25: stalled readers cause no read and no encoding besides those for the others, for any number of them and of events", async () => {
    await fc.assert(
      fc.asyncProperty(some, fc.constantFrom(0, 2), appends, async (stalled, live, count) => {
        const forOthers = { reads: count + 1, encodes: count };
        const done = live === 0 ? { reads: 0, encodes: 0 } : forOthers;
        expect(await work(stalled, live, count)).toStrictEqual(done);
      }),
      { numRuns: 40 },
    );
  });
});
