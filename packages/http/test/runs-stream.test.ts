import { RunEventsError } from "@tm/run-events-core";
import { describe, expect, it } from "vitest";
import { ADA, ADA_SESSION } from "./harness/accounts.ts";
import { post } from "./harness/answer.ts";
import { fits, schemaOf } from "./harness/described.ts";
import { type LiveStream, typesOf } from "./harness/live-stream.ts";
import { DOORS, openWorld, type World } from "./harness/world.ts";

const BOB_SESSION = { cookie: "session=bob" };
const PATH = "/v1/agent-runs/stream";

function follow(
  world: World,
  runs: string,
  headers: { readonly cookie: string } = ADA_SESSION,
): Promise<LiveStream> {
  return world.follow({ path: `${PATH}?runs=${runs}`, headers });
}

describe.each(DOORS)("%s", (door) => {
  it("W30, W47: every message of it is a RunsStreamMessage", async () => {
    await using world = await openWorld(door, { heartbeatMs: 50 });
    const phase = { eventType: "PHASE_STARTED", payload: { phase: "p" } };
    const runId = await world.record("NOTE");
    const stream = await follow(world, `${runId}:0,none:0,other:9`);
    const frames = [...(await stream.until("run_event")), ...(await stream.until("heartbeat"))];
    await world.ada.append(runId, [phase]);
    frames.push(...(await stream.until("status")));
    await world.ada.append(runId, [{ eventType: "RUN_COMPLETED" }]);
    frames.push(...(await stream.rest()));
    const ahead = await follow(world, `${await world.record("NOTE")}:7`);
    frames.push(...(await ahead.rest()));
    await world.drain(0);
    frames.push(...(await (await follow(world, `${runId}:0`)).rest()));
    expect(new Set(typesOf(frames)).size).toBe(8);
    for (const { data } of frames)
      expect([data, fits(schemaOf("RunsStreamMessage"), data)]).toEqual([data, []]);
  });

  it("W19, W47: it takes the cookie only, of a page of this origin; HEAD opens nothing", async () => {
    await using world = await openWorld(door);
    const path = `${PATH}?runs=${await world.record("NOTE")}:0`;
    const bearer = await world.send({ path, headers: ADA });
    expect([bearer.status, bearer.json()]).toMatchObject([401, { code: "session_required" }]);
    const foreign = { ...ADA_SESSION, "sec-fetch-site": "cross-site" };
    expect((await world.send({ path, headers: foreign })).status).toBe(403);
    expect((await world.send({ path })).status).toBe(401);
    const head = await world.send({ method: "HEAD", path, headers: ADA_SESSION });
    expect([head.status, head.text, world.stats().streams.opened]).toEqual([200, "", 0]);
  });

  it("W8, W47: no run can have the path's id, and the path takes no other method", async () => {
    await using world = await openWorld(door);
    const made = await world.send(post("/v1/agent-runs", { runId: "stream" }));
    expect([made.status, made.json()]).toMatchObject([400, { code: "invalid_request" }]);
    const removed = await world.send({ method: "DELETE", path: PATH, headers: ADA });
    expect([removed.status, removed.headers["allow"]]).toEqual([405, "GET, HEAD"]);
    const leaf = await world.send({ path: `${PATH}/events`, headers: ADA });
    expect(leaf.status).toBe(404);
  });

  it("W28, W47: it counts as one stream of its user", async () => {
    await using world = await openWorld(door, { maxStreamsPerUser: 1 });
    const runs = [await world.record("NOTE"), await world.record("NOTE"), await world.record()];
    const stream = await follow(world, runs.map((runId) => `${runId}:0`).join());
    await stream.until("run_event");
    expect(world.stats().streams.open).toBe(1);
    const [refusal] = await (await follow(world, `${runs[0]}:0`)).rest();
    expect(refusal?.data).toMatchObject({ type: "error", code: "overloaded" });
    stream.leave();
  });

  it("W28, W47: a user's streams read a quarter of the runs of all, and other users have room", async () => {
    await using world = await openWorld(door, { maxStreams: 100 });
    const runs = Array.from({ length: 100 }, (_, at) => `none-${at}:0`);
    const live = await world.record("NOTE");
    const full = [`${live}:0`, ...runs.slice(1)].join();
    for (let opened = 0; opened < 2; opened++) {
      const first = await (await follow(world, full)).next();
      expect(first.data["type"]).toBe("stream_opened");
    }
    const refusal = await (await follow(world, full)).next();
    expect(refusal.data).toMatchObject({ type: "error", code: "overloaded", retryable: true });
    const bobs = await (await follow(world, full, BOB_SESSION)).next();
    expect(bobs.data["type"]).toBe("stream_opened");
  });

  it("W24, W47: a store that fails is an error of each run, and the reader is asked back soon", async () => {
    await using world = await openWorld(door);
    const runId = await world.record("NOTE");
    world.store.cut(new RunEventsError("store_unavailable", "gone"));
    const frames = await (await follow(world, `${runId}:0`)).rest();
    expect(typesOf(frames)).toEqual(["stream_opened", "error", "stream_finished"]);
    const [, failed, end] = frames;
    expect([failed?.data["runId"], failed?.retryMs, (end?.retryMs ?? 0) <= 15_000]).toEqual([
      runId,
      null,
      true,
    ]);
  });
});
