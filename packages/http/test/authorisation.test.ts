import { RunEventsError } from "@tm/run-events-core";
import { describe, expect, it } from "vitest";
import { ADA, ADA_SESSION } from "./harness/accounts.ts";
import type { Frame } from "./harness/frames.ts";
import { createManualClock, type ManualClock } from "./harness/manual-clock.ts";
import { DOORS, openWorld, type World } from "./harness/world.ts";

/** Moves the clock on in steps that a reader can keep up with. */
async function pass(world: World, clock: ManualClock, ms: number, stepMs = 5_000): Promise<void> {
  for (let left = ms; left > 0; left -= stepMs) {
    await world.turn();
    clock.advance(Math.min(stepMs, left));
  }
  await world.turn();
}

function expectHardEnd(frame: Frame | undefined, code: string): void {
  expect(frame?.data).toEqual({
    type: "error",
    code,
    message: expect.stringMatching(/\w/) as unknown,
    retryable: false,
  });
  expect([frame?.id, frame?.retryMs]).toEqual([null, 3_600_000]);
}

function expectSoftEnd(frame: Frame | undefined, code: string): void {
  expect(frame?.data).toMatchObject({ type: "error", code, retryable: true });
  expect(frame?.id).toBeNull();
  expect(frame?.retryMs).toBeGreaterThanOrEqual(500);
  expect(frame?.retryMs).toBeLessThanOrEqual(15_000);
}

describe.each(DOORS)("%s", (door) => {
  it("W26: the session is checked again every heartbeat interval, not more often", async () => {
    const clock = createManualClock();
    await using world = await openWorld(door, { clock });
    const reading = (await world.tail(await world.record())).rest();
    await world.turn();
    const before = world.accounts.asked();
    await pass(world, clock, 150_000);
    expect(world.accounts.asked() - before).toBeGreaterThanOrEqual(10);
    expect(world.accounts.asked() - before).toBeLessThanOrEqual(11);
    world.accounts.signOut("ada");
    await pass(world, clock, 15_000);
    await reading;
  });

  it("W26: a stream whose session cannot be checked ends with a retryable error", async () => {
    const clock = createManualClock();
    await using world = await openWorld(door, { clock });
    const reading = (await world.tail(await world.record())).rest();
    await world.turn();
    world.accounts.breakDown(new Error("redis://secret is down"));
    await pass(world, clock, 15_000);
    const frames = await reading;
    expectSoftEnd(frames.at(-1), "store_unavailable");
    expect(frames.at(-1)?.text).not.toContain("secret");
  });

  it("W26: the stream of a deleted run ends for a reader that has not had its end", async () => {
    await using world = await openWorld(door);
    const runId = await world.record("NOTE");
    const stream = await world.tail(runId);
    await stream.until("run_event");
    const reading = stream.rest();
    // While the store does not answer the run ends, and is gone when it does.
    const release = world.store.hold("read");
    await world.ada.append(runId, [{ eventType: "RUN_COMPLETED" }]);
    await world.ada.delete(runId);
    release();
    const frames = await reading;
    expect(frames).toHaveLength(1);
    expectHardEnd(frames[0], "not_found");
  });
});

describe.each(DOORS)("%s", (door) => {
  it("W26: a run that is deleted and created again is another run to readers of the first", async () => {
    await using world = await openWorld(door);
    const runId = await world.record("NOTE");
    const reading = (await world.tail(runId)).rest();
    await world.turn();
    const release = world.store.hold("read");
    await world.ada.append(runId, [{ eventType: "RUN_COMPLETED" }]);
    await world.ada.delete(runId);
    await world.ada.create({ runId });
    await world.ada.append(runId, Array(5).fill({ eventType: "LATER" }));
    release();
    const frames = await reading;
    expectHardEnd(frames.at(-1), "not_found");
    expect(frames.some(({ text }) => text.includes("LATER"))).toBe(false);
  });

  it("W26: a session store that is down does not end an EventSource for good", async () => {
    await using world = await openWorld(door);
    const runId = await world.record("NOTE");
    const broken = [new Error("redis://secret"), new RunEventsError("store_unavailable", "Away.")];
    for (const [at, headers] of [{}, { "last-event-id": "1" }].entries()) {
      world.accounts.breakDown(broken[at] ?? null);
      const stream = await world.tail(runId, "", headers);
      expect([stream.status, stream.headers["content-type"]]).toEqual([
        200,
        "text/event-stream; charset=utf-8",
      ]);
      const frames = await stream.rest();
      expect(frames).toHaveLength(1);
      expectSoftEnd(frames[0], "store_unavailable");
    }
    expect([world.reported.length, world.stats().streams.open]).toEqual([2, 0]);
    const path = `/v1/agent-runs/${runId}/stream`;
    const head = await world.send({ method: "HEAD", path, headers: ADA_SESSION });
    expect([head.status, head.text]).toEqual([200, ""]);
  });
});

describe.each(DOORS)("%s", (door) => {
  it("W4: an `authenticate` that throws is an error of the server, not of the caller", async () => {
    await using world = await openWorld(door);
    world.accounts.breakDown(new Error("the session store is at redis://secret"));
    const answer = await world.send({ path: "/v1/agent-runs", headers: ADA });
    expect([answer.status, answer.json()["code"]]).toEqual([500, "internal"]);
    expect(answer.text).not.toContain("secret");
    expect(world.reported).toHaveLength(1);
  });
});
