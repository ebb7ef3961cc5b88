import { RunEventsError } from "@tm/run-events-core";
import { describe, expect, it } from "vitest";
import { ADA } from "./harness/accounts.ts";
import { sequencesOf } from "./harness/live-stream.ts";
import { DOORS, openWorld } from "./harness/world.ts";

describe.each(DOORS)("%s", (door) => {
  it("W45: a large page says where it begins, too", async () => {
    await using world = await openWorld(door);
    const runId = await world.record();
    const payload = "x".repeat(100_000);
    for (let at = 0; at < 8; at++) await world.ada.append(runId, [{ eventType: "BIG", payload }]);
    const path = `/v1/agent-runs/${runId}/events?tail=7`;
    const page = (await world.send({ path, headers: ADA })).json();
    expect(page).toMatchObject({ since: 1, hasMore: false });
    expect(page["events"]).toHaveLength(7);
  });

  it("W24, W45: a store that is down is a retryable error in the stream, and 503 to a poll", async () => {
    await using world = await openWorld(door);
    const runId = await world.record("NOTE", "NOTE");
    world.store.cut(new RunEventsError("store_unavailable", "The store is down."));
    const stream = await world.tail(runId, "?tail=1");
    expect(stream.status).toBe(200);
    const frames = await stream.rest();
    expect(frames.map(({ data }) => data)).toMatchObject([
      { type: "error", code: "store_unavailable", retryable: true },
    ]);
    const path = `/v1/agent-runs/${runId}/events?tail=1`;
    expect((await world.send({ path, headers: ADA })).status).toBe(503);
    expect(world.stats().streams.open).toBe(0);
    world.store.cut(null);
    const again = await world.tail(runId, "?tail=1");
    expect(sequencesOf(await again.until("run_event"))).toEqual([2]);
  });
});
