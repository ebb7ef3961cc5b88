import { describe, expect, it } from "vitest";
import { post } from "./harness/answer.ts";
import { typesOf } from "./harness/live-stream.ts";
import { createManualClock } from "./harness/manual-clock.ts";
import { DOORS, openWorld } from "./harness/world.ts";
import { eventually } from "./harness/eventually.ts";

describe.each(DOORS)("%s", (door) => {
  it("W27: a drain ends every stream with draining, spread over the window", async () => {
    const clock = createManualClock();
    let draw = 0;
    // Evenly spread, for any random number.
    const random = (): number => (draw++ % 20) / 20;
    await using world = await openWorld(door, { clock, random });
    const runIds = await Promise.all(Array.from({ length: 20 }, () => world.record("NOTE")));
    const streams = await Promise.all(runIds.map((runId) => world.tail(runId)));
    for (const stream of streams) await stream.until("run_event");
    const reading = streams.map((stream) => stream.rest());
    await world.turn();
    let drained = false;
    const draining = world.drain(5_000).then(() => (drained = true));
    const left: number[] = [];
    for (let ms = 0; ms < 5_000; ms += 500) {
      left.push(world.stats().streams.open);
      expect(drained).toBe(false);
      clock.advance(500);
      await world.turn();
      await eventually(() => expect(world.stats().streams.open).toBeLessThan(left.at(-1) ?? 0));
    }
    await draining;
    expect(left[0]).toBe(20);
    // None of the ten steps ends many more than its share.
    expect(left.every((open, at) => at === 0 || (left[at - 1] ?? 0) - open <= 4)).toBe(true);
    for (const frames of await Promise.all(reading)) {
      const last = frames.at(-1);
      expect(last?.data).toMatchObject({ type: "error", code: "draining", retryable: true });
      expect(last?.retryMs).toBeGreaterThanOrEqual(500);
      expect(last?.retryMs).toBeLessThanOrEqual(15_000);
      expect(typesOf(frames)).toEqual(["error"]);
    }
    expect([world.stats().streams, clock.timers()]).toMatchObject([
      { open: 0, ended: { draining: 20 } },
      0,
    ]);
  });

  it("W27: a reader that comes back after a drain gets the events that it missed", async () => {
    await using world = await openWorld(door);
    const runId = await world.record("NOTE");
    const reading = (await world.tail(runId)).rest();
    await world.turn();
    await world.drain(0);
    const last = (await reading).findLast(({ id }) => id !== null)?.id;
    await world.ada.append(runId, [{ eventType: "RUN_COMPLETED" }]);
    await using next = await openWorld(door);
    await next.runs.create({ ownerId: "ada", runId });
    await next.runs
      .as("ada")
      .append(runId, [{ eventType: "NOTE" }, { eventType: "RUN_COMPLETED" }]);
    const frames = await (await next.tail(runId, "", { "last-event-id": String(last) })).rest();
    expect(typesOf(frames)).toEqual(["connected", "run_event", "run_finished"]);
  });

  it("W27: a stream that is opened after a drain gets draining, and nothing stays open", async () => {
    await using world = await openWorld(door);
    const runId = await world.record("NOTE");
    await world.drain(1_000);
    const stream = await world.tail(runId);
    const frames = await stream.rest();
    expect([stream.status, typesOf(frames)]).toEqual([200, ["error"]]);
    expect(frames[0]?.data).toMatchObject({ code: "draining", retryable: true });
    expect(world.stats().streams.open).toBe(0);
  });

  it("W27: a stream that was being opened meanwhile is drained too", async () => {
    await using world = await openWorld(door);
    const runId = await world.record("NOTE");
    const release = world.store.hold("read");
    const opening = world.tail(runId);
    await eventually(() => expect(world.store.held()).toBe(1));
    const draining = world.drain(0);
    release();
    const frames = await (await opening).rest();
    expect(frames.at(-1)?.data).toMatchObject({ code: "draining" });
    await draining;
  });
});

describe.each(DOORS)("%s", (door) => {
  it("W27: appends under way land, and polls are answered", async () => {
    await using world = await openWorld(door);
    const runId = await world.record();
    const release = world.store.hold("append");
    const path = `/v1/agent-runs/${runId}/events`;
    const appending = world.send(post(path, { events: [{ eventType: "NOTE" }] }));
    await eventually(() => expect(world.store.held()).toBe(1));
    await world.drain(0);
    release();
    expect((await appending).status).toBe(201);
    expect(
      (await world.send({ path, headers: { authorization: "Bearer ada" } })).json(),
    ).toMatchObject({ lastSequence: 1 });
  });

  it("W27: a second drain waits for the same end", async () => {
    const clock = createManualClock();
    await using world = await openWorld(door, { clock });
    const reading = (await world.tail(await world.record())).rest();
    await world.turn();
    const drains = [world.drain(5_000), world.drain(5_000)];
    clock.advance(5_100);
    await reading;
    await Promise.all(drains);
  });
});
