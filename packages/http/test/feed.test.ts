import { RunEventsError } from "@tm/run-events-core";
import { eventually } from "./harness/eventually.ts";
import { describe, expect, it } from "vitest";
import { ADA, ADA_SESSION } from "./harness/accounts.ts";
import { fits, schemaOf } from "./harness/described.ts";
import { type LiveStream, typesOf } from "./harness/live-stream.ts";
import { DOORS, openWorld, type World } from "./harness/world.ts";

const PATH = "/v1/agent-runs/stream";

function follow(world: World, query: string): Promise<LiveStream> {
  return world.follow({ path: `${PATH}?${query}`, headers: ADA_SESSION });
}

describe.each(DOORS)("%s", (door) => {
  it("W30, W48: every message of a feed is a RunsStreamMessage, and none has an id", async () => {
    await using world = await openWorld(door);
    const runId = await world.record("NOTE");
    const stream = await follow(world, "feed=live&last=true");
    const frames = [...(await stream.until("feed_version"))];
    await world.ada.append(runId, [{ eventType: "RUN_COMPLETED" }]);
    frames.push(...(await stream.until("run")));
    await world.ada.delete(runId);
    frames.push(...(await stream.until("run_gone")));
    world.store.cut(new RunEventsError("store_unavailable", "gone"));
    world.store.notifyAll();
    frames.push(...(await stream.rest()));
    expect(new Set(typesOf(frames))).toEqual(
      new Set([
        "stream_opened",
        "feed_started",
        "run",
        "feed_version",
        "run_gone",
        "error",
        "stream_finished",
      ]),
    );
    for (const { data, id } of frames)
      expect([data, fits(schemaOf("RunsStreamMessage"), data), id]).toEqual([data, [], null]);
    expect(frames.at(-2)?.data).toMatchObject({ feed: true, code: "store_unavailable" });
    expect(frames.at(-1)?.retryMs).toBeLessThanOrEqual(15_000);
  });

  it("W27, W48: a shutdown ends a stream with a feed", async () => {
    await using world = await openWorld(door);
    await world.record("NOTE");
    const stream = await follow(world, "feed=live");
    await stream.until("feed_version");
    const drained = world.drain(0);
    const frames = await stream.rest();
    expect(frames.at(-1)?.data).toMatchObject({ type: "error", code: "draining" });
    await drained;
    await eventually(() =>
      expect([world.stats().streams.open, world.store.subscriptions()]).toEqual([0, 0]),
    );
  });

  it("W48: a client that leaves ends its feed, also while the store answers", async () => {
    await using world = await openWorld(door);
    await world.record("NOTE");
    for (const type of ["stream_opened", "feed_started", "feed_version"]) {
      const stream = await follow(world, "feed=live&last=true");
      await stream.until(type);
      stream.leave();
      await expect.poll(() => world.stats().streams.open).toBe(0);
      await expect.poll(() => world.store.subscriptions()).toBe(0);
    }
    expect(world.reported).toEqual([]);
  });

  it("W48, W49: an answer with last events is cut at about 4 MiB of them", async () => {
    await using world = await openWorld(door);
    const payload = "x".repeat(200_000);
    for (let at = 0; at < 40; at++) {
      const { runId } = await world.runs.create({ ownerId: "ada" });
      await world.ada.append(runId, [{ eventType: "NOTE", payload }]);
    }
    const answer = await world.send({ path: "/v1/agent-runs?feed=live&last=true", headers: ADA });
    expect(answer.text.length).toBeLessThan(4_194_304 + 2 * 201_000);
    expect(fits(schemaOf("WholeList"), answer.json())).toEqual([]);
    const { last, more } = answer.json() as {
      readonly last: Readonly<Record<string, { readonly payload: string }>>;
      readonly more: boolean;
    };
    for (const event of Object.values(last)) expect(event.payload).toBe(payload);
    expect([Object.keys(last).length, more]).toEqual([21, true]);
  });
});
