import type { EventDraft } from "@tm/run-events-core";
import { createParser } from "eventsource-parser";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sequencesOf, typesOf } from "./harness/live-stream.ts";
import { DOORS, openWorld, type World } from "./harness/world.ts";

const phase = (name: string): EventDraft => ({
  eventType: "PHASE_STARTED",
  payload: { phase: name },
});

async function textOf(world: World, runId: string): Promise<string> {
  const frames = await (await world.tail(runId)).rest();
  return frames.map(({ text }) => text).join("");
}

describe.each(DOORS)("%s", (door) => {
  it("W22: `data` comes before `id`, an hour's `retry` is between them, and only the listed frames have a `retry`", async () => {
    await using world = await openWorld(door);
    const text = await textOf(world, await world.record(phase("p"), "RUN_COMPLETED"));
    const lines = text.split("\n").map((line) => line.replace(/: .*/, ""));
    expect(lines.join(" ")).toBe("retry data id  data id  data id  data retry id  ");
  });

  it("W22: the `retry` of `connected` is 2,000 to 5,000, and differs by reader", async () => {
    const draws = [0, 0.25, 0.5, 0.999_999];
    let drawn = 0;
    await using world = await openWorld(door, {
      random: () => draws[Math.floor(drawn++ / 3)] ?? 0,
    });
    const runId = await world.record();
    const retries: unknown[] = [];
    // Each stream draws thrice: for its heartbeat, for its age, and for this.
    for (const _ of draws) retries.push((await (await world.tail(runId)).next()).retryMs);
    expect(retries).toEqual([2_000, 2_750, 3_500, 5_000]);
  });

  it("W22: events come in sequence without a gap, from any cursor and however they are written", async () => {
    await using world = await openWorld(door);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 8 }),
        fc.array(fc.nat(100), { minLength: 1, maxLength: 5 }),
        async (sizes, starts) => {
          const runId = await world.record();
          const batches = sizes.map((size) =>
            Array<EventDraft>(size).fill({ eventType: "NOTE", payload: "x".repeat(2_000) }),
          );
          const half = batches.splice(0, batches.length / 2);
          for (const batch of half) await world.ada.append(runId, batch);
          const { lastSequence } = await world.ada.get(runId);
          const cursors = starts.map((start) => Math.min(start, lastSequence));
          const readers = await Promise.all(
            cursors.map((since) => world.tail(runId, `?since=${since}`)),
          );
          const reading = Promise.all(readers.map((reader) => reader.rest()));
          for (const batch of batches) await world.ada.append(runId, batch);
          await world.ada.append(runId, [{ eventType: "RUN_FAILED" }]);
          const total = (await world.ada.get(runId)).lastSequence;
          for (const [at, frames] of (await reading).entries()) {
            const since = cursors[at] ?? 0;
            const expected = Array.from({ length: total - since }, (_, index) => since + 1 + index);
            expect(sequencesOf(frames)).toEqual(expected);
            expect(typesOf([...frames.slice(0, 1), ...frames.slice(-1)])).toEqual([
              "connected",
              "run_finished",
            ]);
          }
        },
      ),
      { numRuns: 15 },
    );
  });
});

describe.each(DOORS)("%s", (door) => {
  it("W22: an event's frame has the same bytes for every reader", async () => {
    await using world = await openWorld(door);
    const runId = await world.record();
    const streams = await Promise.all([0, 1, 2].map(() => world.tail(runId)));
    const reading = Promise.all(streams.map((stream) => stream.rest()));
    await world.ada.append(runId, [phase("one"), { eventType: "NOTE", payload: "\u2028é😀" }]);
    await world.ada.append(runId, [{ eventType: "RUN_COMPLETED" }]);
    const events = (await reading).map((frames) =>
      frames.filter(({ data }) => data["type"] === "run_event").map(({ text }) => text),
    );
    expect(events[0]).toHaveLength(3);
    for (const texts of events) expect(texts).toEqual(events[0]);
  });
});

it("W22: eventsource-parser reads the same messages, however the bytes are cut", async () => {
  await using world = await openWorld("Request to Response");
  const drafts = ["\u2028", "\r\n", "data: x\n\nid: 9", "</script>", "é😀"].map((payload) => ({
    eventType: "NOTE",
    payload,
  }));
  const text = await textOf(world, await world.record(...drafts, "RUN_COMPLETED"));
  const bytes = new TextEncoder().encode(text);
  fc.assert(
    fc.property(fc.array(fc.nat(bytes.length), { maxLength: 20 }), (cuts) => {
      const messages: { data: string; id: string | undefined; event: string | undefined }[] = [];
      const parser = createParser({
        onEvent: ({ data, id, event }) => messages.push({ data, id, event }),
      });
      const decoder = new TextDecoder();
      const places = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
      for (const [at, from] of places.entries()) {
        parser.feed(decoder.decode(bytes.subarray(from, places[at + 1] ?? from), { stream: true }));
      }
      expect(messages.map(({ id, event }) => [id, event])).toEqual(
        [0, 1, 2, 3, 4, 5, 6, 7].map((id) => [String(id), undefined]),
      );
      const payloads = messages
        .slice(1, 6)
        .map(({ data }) => (JSON.parse(data) as { event: { payload: unknown } }).event.payload);
      expect(payloads).toEqual(drafts.map(({ payload }) => payload));
    }),
  );
});
