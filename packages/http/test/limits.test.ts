import { describe, expect, it } from "vitest";
import { ADA_SESSION } from "./harness/accounts.ts";
import type { LiveStream } from "./harness/live-stream.ts";
import { DOORS, openWorld } from "./harness/world.ts";
import { eventually } from "./harness/eventually.ts";

async function expectOverloaded(stream: LiveStream): Promise<void> {
  expect([stream.status, stream.headers["content-type"]]).toEqual([
    200,
    "text/event-stream; charset=utf-8",
  ]);
  const frames = await stream.rest();
  expect(frames.map(({ data }) => data)).toEqual([
    {
      type: "error",
      code: "overloaded",
      message: expect.stringMatching(/\w/) as unknown,
      retryable: true,
    },
  ]);
  expect(frames[0]?.id).toBeNull();
  expect(frames[0]?.retryMs).toBeGreaterThanOrEqual(500);
  expect(frames[0]?.retryMs).toBeLessThanOrEqual(15_000);
}

describe.each(DOORS)("%s", (door) => {
  it("W28: a user's streams are bounded, and a place is free when one has ended", async () => {
    await using world = await openWorld(door, { maxStreamsPerUser: 2 });
    const runId = await world.record("NOTE");
    await world.runs.create({ ownerId: "bob", runId: "bobs" });
    const open = [await world.tail(runId), await world.tail(runId)];
    for (const stream of open) await stream.next();
    await expectOverloaded(await world.tail(runId));
    await expectOverloaded(await world.tail(runId, "", { "last-event-id": "1" }));
    const bobs = await world.tail("bobs", "", { cookie: "session=bob" });
    expect((await bobs.next()).data["type"]).toBe("connected");
    open[0]?.leave();
    await eventually(() => expect(world.stats().streams.open).toBe(2));
    expect((await (await world.tail(runId)).next()).data["type"]).toBe("connected");
    expect(world.stats().streams.ended).toMatchObject({ overloaded: 2 });
  });

  it("W28: a process's streams are bounded, for all users together", async () => {
    await using world = await openWorld(door, { maxStreams: 2 });
    await world.runs.create({ ownerId: "bob", runId: "bobs" });
    const runId = await world.record("NOTE");
    await (await world.tail(runId)).next();
    await (await world.tail(runId)).next();
    await expectOverloaded(await world.tail("bobs", "", { cookie: "session=bob" }));
  });

  it("W28: HEAD, 204, 404, cursor_ahead and a finished run take no place of a stream", async () => {
    await using world = await openWorld(door, { maxStreamsPerUser: 1 });
    const [live, ended] = [await world.record("NOTE"), await world.record("RUN_FAILED")];
    const path = `/v1/agent-runs/${live}/stream`;
    for (let at = 0; at < 3; at++) {
      expect((await world.send({ method: "HEAD", path, headers: ADA_SESSION })).status).toBe(200);
      expect((await world.tail(ended, "", { "last-event-id": "2" })).status).toBe(204);
      expect((await world.tail("none")).status).toBe(404);
      const ahead = await (await world.tail(live, "?since=9")).rest();
      expect(ahead.at(-1)?.data["code"]).toBe("cursor_ahead");
      const finished = await (await world.tail(ended)).rest();
      expect(finished.at(-1)?.data["type"]).toBe("run_finished");
      await eventually(() => expect(world.stats().streams.open).toBe(0));
    }
    const stream = await world.tail(live);
    expect((await stream.next()).data["type"]).toBe("connected");
    // Polls are not streams.
    expect(
      (await world.send({ path: `/v1/agent-runs/${live}/events`, headers: ADA_SESSION })).status,
    ).toBe(200);
  });
});
