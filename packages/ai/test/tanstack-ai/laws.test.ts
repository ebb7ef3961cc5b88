import { createMemoryStore, createRunEvents } from "@tm/run-events-core";
import fc from "fast-check";
import { expect, it } from "vitest";
import { runEventsStream } from "../../src/tanstack-ai.ts";
import { endsValue, PartJoiner } from "../../src/runs/event-parts.ts";
import { appendsOf, chunkOf } from "../../src/tanstack-ai/chunks.ts";
import { readRun, shown, textChunk } from "./chunks.ts";

const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 20 }),
  fc.constantFrom("\u{1F600}".repeat(200), "\uD83D", ""),
);
const batches = fc.array(fc.array(text, { maxLength: 5 }), { maxLength: 6 });
const limits = fc.record({
  maxPayloadBytes: fc.constantFrom(200, 300, 262_144),
  maxBatchEvents: fc.constantFrom(1, 7, 1_000),
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

it("a reader that begins anywhere, also within a chunk, gets whole chunks, and none of the parts of a lost one", () => {
  fc.assert(
    fc.property(fc.array(text), limits, fc.nat(), fc.nat(), (texts, bounds, from, lost) => {
      const { maxPayloadBytes } = bounds;
      const events = appendsOf(texts.map(textChunk), bounds).flat();
      const at = from % (events.length + 1);
      const read = (given: typeof events): readonly string[] => {
        const joiner = new PartJoiner();
        const chunks = given.map(({ eventType, payload: { text: json } }, index) => {
          const payload: unknown = JSON.parse(json);
          const event = { sequence: index + 1, createdAt: "", eventType, payload };
          const whole = joiner.join(event);
          return whole && chunkOf(whole);
        });
        return shown(chunks.filter((chunk) => chunk !== null));
      };
      const before = events.slice(0, at).filter(endsValue).length;
      const isWithin = events.slice(at - 1, at).some((event) => !endsValue(event));
      expect(read(events.slice(at))).toEqual(texts.slice(before + (isWithin ? 1 : 0)));
      const torn = appendsOf([textChunk("x".repeat(300))], { ...bounds, maxPayloadBytes: 200 });
      const parts = torn.flat().slice(0, 1 + (lost % 40));
      if (maxPayloadBytes < 300) expect(read([...parts, ...events])).toEqual(texts);
    }),
  );
});
