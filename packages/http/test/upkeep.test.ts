import { describe, expect, it } from "vitest";
import { DOORS, openWorld } from "./harness/world.ts";

const START_MS = Date.parse("2026-06-20T12:00:00.000Z");

describe.each(DOORS)("%s", (door) => {
  it("W33: readers of a run whose lease expired get its RUN_FAILED with the reason", async () => {
    let nowMs = START_MS;
    await using world = await openWorld(door, { storeNow: () => nowMs });
    const runId = await world.record("NOTE");
    await world.ada.claim(runId, { leaseMs: 1_000 });
    const reading = (await world.tail(runId)).rest();
    nowMs += 61_000;
    expect(await world.runs.log.reap({ confirmMs: 0 })).toEqual([{ ownerId: "ada", runId }]);
    const [end, last] = (await reading).slice(-2);
    expect(end?.data).toMatchObject({
      type: "run_event",
      event: { sequence: 2, eventType: "RUN_FAILED", payload: { reason: "lease_expired" } },
    });
    expect(last?.data).toMatchObject({ type: "run_finished", runStatus: "failed" });
  });

  it("W26: the stream of a purged run ends for a reader that has not had its end", async () => {
    let nowMs = START_MS;
    await using world = await openWorld(door, { storeNow: () => nowMs });
    const runId = await world.record("NOTE");
    const stream = await world.tail(runId);
    await stream.until("run_event");
    const reading = stream.rest();
    // While the store does not answer the run ends, and is gone when it does.
    const release = world.store.hold("read");
    await world.ada.append(runId, [{ eventType: "RUN_COMPLETED" }]);
    nowMs += 1;
    expect(await world.runs.log.purge({ finishedForMs: 1 })).toEqual([{ ownerId: "ada", runId }]);
    release();
    const frames = await reading;
    expect(frames.map(({ data }) => data)).toMatchObject([
      { type: "error", code: "not_found", retryable: false },
    ]);
  });
});
