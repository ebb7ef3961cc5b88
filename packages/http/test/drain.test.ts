import { describe, expect, it } from "vitest";
import { post } from "./harness/answer.ts";
import { typesOf } from "./harness/live-stream.ts";
import { DOORS, openWorld } from "./harness/world.ts";
import { eventually } from "./harness/eventually.ts";

describe.each(DOORS)("%s", (door) => {
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
});
