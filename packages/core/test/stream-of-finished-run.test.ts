import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { newEvent } from "./run-record.ts";
import { createStreamBench } from "./stream-bench.ts";
import { createStreamWorld, cut, HEARTBEAT_MS, record } from "./stream-world.ts";

describe("a stream of a run that has finished", () => {
  it("W22, W23: a stream of a finished run has connected as of its cursor, then each event, run_finished and the end", async () => {
    const bench = await createStreamBench();
    await bench.append("RUN_STARTED", "TOKEN", "RUN_FAILED");
    const { sink } = await bench.open(1);
    await sink.first("run_finished");
    expect(sink.frames).toMatchObject([
      {
        data: { type: "connected", runId: "r", since: 1, runStatus: "running", lastSequence: 3 },
        id: "1",
        retryMs: 3_500,
      },
      { data: { type: "run_event", event: { sequence: 2, eventType: "TOKEN" } }, id: "2" },
      { data: { type: "run_event", event: { sequence: 3, eventType: "RUN_FAILED" } }, id: "3" },
      {
        data: { type: "run_finished", runStatus: "failed", lastSequence: 3 },
        id: "4",
        retryMs: 3_600_000,
      },
    ]);
    expect([sink.state, sink.faults]).toStrictEqual(["ended", []]);
  });

  it.each([3, 4])(
    "W24: a stream at a cursor of %i, its end or one past it, has connected and run_finished",
    async (since) => {
      const bench = await createStreamBench();
      await bench.append("RUN_STARTED", "TOKEN", "RUN_COMPLETED");
      const { sink } = await bench.open(since);
      expect(sink.frames).toMatchObject([
        { data: { type: "connected", since: 3, runStatus: "running" }, id: "3" },
        { data: { type: "run_finished", runStatus: "completed" }, id: "4" },
      ]);
    },
  );
});

describe("a stream that waits for the read of a run's end", () => {
  it("W22: its heartbeat does not say that the run has ended", async () => {
    const world = await createStreamWorld(
      () => true,
      () => 0.5,
    );
    const first = world.open("ada", 0);
    world.source.readies[0]?.resolve();
    await setImmediate();
    for (let reads = 0; reads < 2; reads++) {
      world.source.answerAll();
      await setImmediate();
    }
    record(world, "ada", [newEvent("RUN_COMPLETED")]);
    const second = world.open("ada", 1);
    // Only the second stream's own read is answered: the follower of the run has not read the end.
    world.source.answerAll();
    await setImmediate();
    world.clock.advance(HEARTBEAT_MS);
    expect(second.sink.frames.map(({ data }) => [data["type"], data["runStatus"]])).toStrictEqual([
      ["connected", "running"],
      ["status", "running"],
    ]);
    cut(first);
    cut(second);
  });
});
