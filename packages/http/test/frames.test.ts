import type { EventDraft } from "@tm/run-events-core";
import { createParser } from "eventsource-parser";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createManualClock } from "./harness/manual-clock.ts";
import type { Frame } from "./harness/frames.ts";
import { type LiveStream, sequencesOf, typesOf } from "./harness/live-stream.ts";
import { DOORS, openWorld, type World } from "./harness/world.ts";

const phase = (name: string): EventDraft => ({
  eventType: "PHASE_STARTED",
  payload: { phase: name },
});

/** The run's states in the frames of a stream, in order. */
function statesOf(frames: readonly Frame[]): readonly unknown[] {
  return frames
    .filter(({ data }) => data["type"] !== "run_event")
    .map(({ data }) => [
      data["type"],
      data["runStatus"],
      data["currentPhase"],
      data["lastSequence"],
    ]);
}

/** A reader that is waiting for its next frame. */
async function asking(
  world: World,
  stream: LiveStream,
): Promise<{ readonly frame: Promise<Frame> }> {
  const frame = stream.next();
  await world.turn();
  return { frame };
}

async function textOf(world: World, runId: string): Promise<string> {
  const frames = await (await world.tail(runId)).rest();
  return frames.map(({ text }) => text).join("");
}

describe.each(DOORS)("%s", (door) => {
  it("W22: a finished run's stream is connected, its events, and run_finished", async () => {
    await using world = await openWorld(door);
    const runId = await world.record("NOTE", phase("p"), "RUN_COMPLETED");
    const [connected, ...frames] = await (await world.tail(runId)).rest();
    expect(connected?.data).toEqual({
      type: "connected",
      runId,
      since: 0,
      runStatus: "running",
      currentPhase: "p",
      lastSequence: 3,
    });
    expect([connected?.id, frames.map(({ id }) => id)]).toEqual([0, [1, 2, 3, 4]]);
    const { events } = await world.ada.read(runId);
    expect(frames.slice(0, 3).map(({ data }) => data)).toEqual(
      events.map((event) => ({ type: "run_event", event })),
    );
    expect(frames.at(-1)).toMatchObject({
      data: { type: "run_finished", runStatus: "completed", currentPhase: "p", lastSequence: 3 },
      id: 4,
      retryMs: 3_600_000,
    });
    expect(Object.keys(frames.at(-1)?.data ?? {})).toHaveLength(4);
  });

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

  it("W22: a change of status or phase gives a status frame without an id", async () => {
    await using world = await openWorld(door);
    const runId = await world.record();
    const stream = await world.tail(runId);
    await stream.until("connected");
    const frames: Frame[] = [];
    for (const event of [
      { eventType: "NOTE" },
      phase("one"),
      { eventType: "NOTE" },
      phase("two"),
    ]) {
      await world.ada.append(runId, [event]);
      frames.push(
        ...(await stream.until(
          event.eventType === "NOTE" && frames.length > 0 ? "run_event" : "status",
        )),
      );
    }
    expect(typesOf(frames)).toEqual([
      "run_event",
      "status",
      "run_event",
      "status",
      "run_event",
      "run_event",
      "status",
    ]);
    const statuses = frames.filter(({ data }) => data["type"] === "status");
    expect(statesOf(statuses)).toEqual([
      ["status", "running", null, 1],
      ["status", "running", "one", 2],
      ["status", "running", "two", 4],
    ]);
    for (const { id, retryMs } of statuses) expect([id, retryMs]).toEqual([null, null]);
  });

  it("W22: a quiet stream has a status frame every 15 seconds, a busy one has none", async () => {
    const clock = createManualClock();
    await using world = await openWorld(door, { clock });
    const runId = await world.record(phase("p"));
    const stream = await world.tail(runId, "?since=1");
    await stream.until("connected");
    for (let beat = 0; beat < 3; beat++) {
      const next = await asking(world, stream);
      clock.advance(14_000);
      clock.advance(1_000);
      expect((await next.frame).data).toEqual({
        type: "status",
        runStatus: "running",
        currentPhase: "p",
        lastSequence: 1,
      });
    }
    for (let at = 0; at < 4; at++) {
      clock.advance(7_500);
      await world.ada.append(runId, [{ eventType: "NOTE" }]);
      expect((await stream.next()).data).toMatchObject({ type: "run_event" });
      const next = await asking(world, stream);
      clock.advance(7_000);
      await world.ada.append(runId, [{ eventType: "NOTE" }]);
      expect((await next.frame).data).toMatchObject({ type: "run_event" });
    }
  });
});

describe.each(DOORS)("%s", (door) => {
  it("W22: heartbeats come at the interval that was set", async () => {
    const clock = createManualClock();
    await using world = await openWorld(door, { clock, heartbeatMs: 1_000 });
    const stream = await world.tail(await world.record());
    await stream.until("connected");
    for (let beat = 0; beat < 5; beat++) {
      const next = await asking(world, stream);
      clock.advance(1_000);
      expect((await next.frame).data).toMatchObject({ type: "status", runStatus: "queued" });
    }
  });

  it("W23: only run_finished has a terminal status; before it, a run that has ended is running, in its last phase", async () => {
    await using world = await openWorld(door);
    const runId = await world.record("NOTE", phase("one"), "NOTE", phase("two"), "RUN_FAILED");
    for (let since = 0; since <= 5; since++) {
      const frames = await (await world.tail(runId, `?since=${since}`)).rest();
      expect(statesOf(frames)).toEqual([
        ["connected", "running", "two", 5],
        ["run_finished", "failed", "two", 5],
      ]);
      expect(sequencesOf(frames)).toHaveLength(5 - since);
    }
  });

  it("W23: a live reader gets run_finished once, after the last event", async () => {
    await using world = await openWorld(door);
    const runId = await world.record("NOTE");
    const stream = await world.tail(runId);
    await stream.until("run_event");
    await world.ada.append(runId, [
      { eventType: "NOTE" },
      phase("last"),
      { eventType: "RUN_CANCELLED" },
    ]);
    const frames = await stream.rest();
    expect(typesOf(frames)).toEqual(["run_event", "run_event", "run_event", "run_finished"]);
    expect(frames.at(-1)?.data).toMatchObject({
      runStatus: "cancelled",
      currentPhase: "last",
      lastSequence: 4,
    });
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
