import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createFrameReader, type FrameReader } from "./frame-reader.ts";
import { createStreamBench, letGo, type StreamBench } from "./stream-bench.ts";

/** The bytes of one connection, from a cursor to the end of the run's log. */
async function connect(bench: StreamBench, since: number): Promise<Uint8Array> {
  const opened = await bench.open(since);
  const { lastSequence, finishedAtMs } = await bench.log.getRun("r", { ownerId: "ada" });
  if (finishedAtMs !== null) await opened.sink.first("run_finished");
  while (opened.sink.frames.every(({ id }) => Number(id ?? -1) < lastSequence))
    await opened.sink.next();
  letGo(opened);
  expect(opened.sink.faults).toStrictEqual([]);
  return opened.sink.bytes();
}

function eventsOf(reader: FrameReader): readonly unknown[] {
  return reader.frames.flatMap(({ data }) =>
    data["type"] === "run_event" ? [(data["event"] as { sequence: number }).sequence] : [],
  );
}

function isFinished(reader: FrameReader): boolean {
  return reader.frames.some(({ data }) => data["type"] === "run_finished");
}

describe("a stream that is cut and resumed", () => {
  it.each([
    ["a live run", ["RUN_STARTED", "TOKEN"]],
    ["a run that has finished", ["RUN_COMPLETED"]],
    ["a longer one", ["RUN_STARTED", "TOKEN", "TOKEN", "RUN_FAILED"]],
  ])(
    "W22: a stream of %s that is cut at any byte loses nothing and repeats nothing",
    async (_what, eventTypes) => {
      const bench = await createStreamBench();
      await bench.append(...eventTypes);
      const whole = await connect(bench, 0);
      const sequences = eventTypes.map((_, at) => at + 1);
      const terminal = eventTypes.at(-1)?.startsWith("RUN_") === true;
      for (let cut = 0; cut <= whole.length; cut++) {
        const first = createFrameReader();
        first.feed(whole.subarray(0, cut));
        const resumed = Number(first.lastEventId() ?? 0);
        const second = createFrameReader();
        // One past the end is answered 204: the client has had everything.
        if (resumed <= sequences.length) second.feed(await connect(bench, resumed));
        expect([...eventsOf(first), ...eventsOf(second)]).toStrictEqual(sequences);
        expect(isFinished(first) || isFinished(second)).toBe(terminal);
      }
    },
  );

  it("W22: a stream that is cut again and again while its run continues loses nothing and repeats nothing", async () => {
    const rounds = fc.array(fc.record({ append: fc.nat({ max: 3 }), cut: fc.nat() }), {
      maxLength: 8,
    });
    await fc.assert(
      fc.asyncProperty(rounds, async (script) => {
        const bench = await createStreamBench();
        const seen: unknown[] = [];
        let since = 0;
        for (const { append, cut } of script) {
          for (let count = append; count > 0; count--) await bench.append("TOKEN");
          const bytes = await connect(bench, since);
          const reader = createFrameReader();
          reader.feed(bytes.subarray(0, cut % (bytes.length + 1)));
          seen.push(...eventsOf(reader));
          since = Number(reader.lastEventId() ?? since);
        }
        await bench.append("RUN_COMPLETED");
        const last = createFrameReader();
        last.feed(await connect(bench, since));
        seen.push(...eventsOf(last));
        const { lastSequence } = await bench.log.getRun("r", { ownerId: "ada" });
        expect(seen).toStrictEqual(Array.from({ length: lastSequence }, (_, at) => at + 1));
        expect(isFinished(last)).toBe(true);
      }),
      { numRuns: 100 },
    );
  });
});
