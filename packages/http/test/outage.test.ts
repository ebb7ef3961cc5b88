import { RunEventsError } from "@tm/run-events-core";
import { describe, expect, it } from "vitest";
import type { Frame } from "./harness/frames.ts";
import { sequencesOf, typesOf } from "./harness/live-stream.ts";
import { createManualClock } from "./harness/manual-clock.ts";
import { DOORS, openWorld } from "./harness/world.ts";
import { eventually } from "./harness/eventually.ts";

const DOWN = new RunEventsError("store_unavailable", "The store is down.");

function expectUnavailable(frame: Frame | undefined): void {
  expect(frame?.data).toEqual({
    type: "error",
    code: "store_unavailable",
    message: expect.stringMatching(/\w/) as unknown,
    retryable: true,
  });
  expect(frame?.id).toBeNull();
  expect(frame?.retryMs).toBeGreaterThanOrEqual(500);
  expect(frame?.retryMs).toBeLessThanOrEqual(15_000);
}

describe.each(DOORS)("%s", (door) => {
  it("W22, W24: a store that fails ends a stream with a retryable error, and the reader goes on where it was", async () => {
    await using world = await openWorld(door);
    const runId = await world.record("A", "B");
    const stream = await world.tail(runId);
    for (let event = 0; event < 2; event++) await stream.until("run_event");
    const reading = stream.rest();
    await world.turn();
    world.store.cut(DOWN);
    world.store.notifyAll();
    const frames = await reading;
    expect(frames).toHaveLength(1);
    expectUnavailable(frames[0]);
    await eventually(() =>
      expect(world.stats().streams).toMatchObject({ open: 0, ended: { store_unavailable: 1 } }),
    );
    world.store.cut(null);
    await world.ada.append(runId, [{ eventType: "C" }, { eventType: "RUN_COMPLETED" }]);
    const again = await (await world.tail(runId, "", { "last-event-id": "2" })).rest();
    expect(sequencesOf(again)).toEqual([3, 4]);
  });

  it("W24: a store that is down when a stream is opened does not end an EventSource for good", async () => {
    await using world = await openWorld(door);
    const runId = await world.record("A", "B");
    world.store.cut(DOWN);
    for (const headers of [
      {},
      { "last-event-id": "1" },
      { "last-event-id": "2" },
      { "last-event-id": "9" },
    ]) {
      const stream = await world.tail(runId, "?since=0", headers);
      expect([stream.status, stream.headers["content-type"]]).toEqual([
        200,
        "text/event-stream; charset=utf-8",
      ]);
      const frames = await stream.rest();
      expect(frames).toHaveLength(1);
      expectUnavailable(frames[0]);
    }
    expect(world.stats().streams.open).toBe(0);
    world.store.cut(null);
    const stream = await world.tail(runId, "?since=0", { "last-event-id": "1" });
    expect(sequencesOf(await stream.until("run_event"))).toEqual([2]);
  });

  it("W24: a stream of runs that were closed ends with a retryable error", async () => {
    await using world = await openWorld(door);
    const runId = await world.record("A");
    await world.runs.close();
    const frames = await (await world.tail(runId)).rest();
    expectUnavailable(frames[0]);
  });

  it("W22: a page of the log that cannot be read ends only the stream that needed it", async () => {
    await using world = await openWorld(door);
    const runId = await world.record(...Array<string>(900).fill("NOTE"));
    const stream = await world.tail(runId);
    const first = await stream.next();
    expect(first.data["type"]).toBe("connected");
    world.store.cut(DOWN);
    const frames = await stream.rest();
    expectUnavailable(frames.at(-1));
    const seen = sequencesOf(frames);
    expect(seen).toEqual(Array.from({ length: seen.length }, (_, at) => at + 1));
    world.store.cut(null);
    await world.ada.append(runId, [{ eventType: "RUN_COMPLETED" }]);
    const rest = await (
      await world.tail(runId, "", { "last-event-id": String(seen.length) })
    ).rest();
    expect([...seen, ...sequencesOf(rest)]).toEqual(Array.from({ length: 901 }, (_, at) => at + 1));
  });
});

describe.each(DOORS)("%s", (door) => {
  it("W24: a reader whose notifications are all lost is later, and misses nothing", async () => {
    const clock = createManualClock();
    await using world = await openWorld(door, { clock });
    const runId = await world.record("A");
    const stream = await world.tail(runId);
    await stream.until("run_event");
    const reading = stream.rest();
    await world.turn();
    world.store.silence();
    await world.ada.append(runId, [{ eventType: "B" }, { eventType: "RUN_COMPLETED" }]);
    clock.advance(5_000);
    const frames = await reading;
    expect(typesOf(frames)).toEqual(["run_event", "run_event", "run_finished"]);
  });
});
