import { createMemoryStore, createRunEvents } from "@tm/run-events-core";
import fc from "fast-check";
import { expect, it } from "vitest";
import { runEventsStream } from "../../src/tanstack-ai.ts";
import { readRun, textChunk } from "./chunks.ts";

const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 20 }),
  fc.constantFrom("\u{1F600}".repeat(200), "\uD83D", ""),
);
const batches = fc.array(fc.array(text, { maxLength: 5 }), { maxLength: 6 });
const limits = fc.record({
  maxPayloadBytes: fc.constantFrom(128, 300, 262_144),
  // A chunk of 200 emojis has 45 parts at most, which one append has to take.
  maxBatchEvents: fc.constantFrom(60, 1_000),
});
const runId = fc
  .string({ minLength: 1, maxLength: 10 })
  .filter((id) => !/[\r\n]/.test(id) && id.isWellFormed());

it("any chunks in any batches are read as they were, from any offset, in any process", async () => {
  await fc.assert(
    fc.asyncProperty(batches, limits, runId, fc.nat(), async (given, bounds, id, at) => {
      const runs = createRunEvents({ store: createMemoryStore(), ...bounds });
      const producer = runEventsStream({ runId: id }, { runs, firstChunkDeadlineMs: 60_000 });
      const open = (): ReturnType<typeof runEventsStream> =>
        runEventsStream({ runId: id }, { runs });
      const early = readRun(producer);
      const offsets: string[] = [];
      for (const texts of given) offsets.push(...(await producer.append(texts.map(textChunk))));
      await producer.close();
      const whole = given.flat();
      for (const read of [await early, await readRun(open())]) {
        expect(read).toEqual({ texts: whole, offsets, error: null });
      }
      expect((await open().snapshot()).map(({ offset }) => offset)).toEqual(offsets);
      if (offsets.length > 0) {
        const index = at % offsets.length;
        const rest = await readRun(open(), offsets[index]);
        expect(rest.texts).toEqual(whole.slice(index + 1));
        expect(rest.offsets).toEqual(offsets.slice(index + 1));
      }
      await runs.close();
    }),
    { numRuns: 50 },
  );
});
