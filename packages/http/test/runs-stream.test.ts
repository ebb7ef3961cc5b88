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
  it("W21, W47: many runs come on one answer, whose head is that of every stream", async () => {
    await using world = await openWorld(door);
    const [a, b] = [await world.record("NOTE"), await world.record("NOTE", "RUN_FAILED")];
    const stream = await follow(world, `${a}:0,${b}:-1`);
    expect([stream.status, stream.headers]).toMatchObject([
      200,
      {
        "content-type": "text/event-stream; charset=utf-8",
        "cache-control": "no-cache, no-store, no-transform",
        "x-accel-buffering": "no",
        "x-content-type-options": "nosniff",
      },
    ]);
    await stream.until("run_finished");
    await world.ada.append(a, [{ eventType: "RUN_COMPLETED" }]);
    const frames = await stream.rest();
    expect(typesOf(frames).slice(-2)).toEqual(["run_finished", "stream_finished"]);
    expect(frames.at(-1)).toMatchObject({ id: null, retryMs: 3_600_000 });
  });

  it("W30, W47: every message of it is a RunsStreamMessage", async () => {
    await using world = await openWorld(door, { heartbeatMs: 50 });
    const phase = { eventType: "PHASE_STARTED", payload: { phase: "p" } };
    const runId = await world.record("NOTE");
    const stream = await follow(world, `${runId}:0,none:0,other:9`);
    const frames = [...(await stream.until("heartbeat"))];
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

  it("W4, W47: another user's run and one that does not exist end alike, and leave the others alone", async () => {
    await using world = await openWorld(door);
    const [mine, bobs] = [await world.record("NOTE"), "bobs"];
    await world.runs.create({ ownerId: "bob", runId: bobs });
    await world.runs.as("bob").append(bobs, [{ eventType: "NOTE", payload: "secret" }]);
    const stream = await follow(world, `${bobs}:0,${mine}:0,gone:0`);
    const texts = new Map<unknown, string>();
    while (texts.size < 2) {
      const { data, text } = await stream.next();
      if (data["type"] === "error") texts.set(data["runId"], text);
    }
    expect(texts.get(bobs)).toBe(texts.get("gone")?.replace('"gone"', '"bobs"'));
    await world.ada.append(mine, [{ eventType: "RUN_COMPLETED" }]);
    const rest = await stream.rest();
    expect(JSON.stringify(rest)).not.toContain("secret");
    expect(typesOf(rest).at(-1)).toBe("stream_finished");
    const own = await follow(world, `${bobs}:0`, BOB_SESSION);
    expect((await own.until("run_event")).at(-1)?.data["runId"]).toBe(bobs);
    own.leave();
  });

  it("W3, W47: `runs` that cannot be read is 400, and the problem names the entry", async () => {
    await using world = await openWorld(door);
    const hundred = Array.from({ length: 101 }, (_, at) => `r${at}:0`).join();
    for (const [query, detail] of [
      ["", "Expected `runs`, such as"],
      ["?runs=", 'got "" as entry 1.'],
      ["?runs=a:1,b:x", 'got "b:x" as entry 2.'],
      ["?runs=a:1,b:1@yesterday", "as entry 2."],
      ["?runs=a:1,a:2", 'got "a" again as entry 2.'],
      ["?runs=a:1&runs=b:1", "Expected `runs` once, got it 2 times."],
      [`?runs=${hundred}`, "100 runs at most"],
    ] as const) {
      for (const method of ["GET", "HEAD"]) {
        const answer = await world.send({ method, path: `${PATH}${query}`, headers: ADA_SESSION });
        expect([query, answer.status]).toEqual([query, 400]);
        if (method === "HEAD") continue;
        expect(answer.json()).toMatchObject({ code: "invalid_request" });
        expect(String(Object(answer.json())["detail"])).toContain(detail);
      }
    }
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
