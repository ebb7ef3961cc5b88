import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { FakeSink } from "./fake-sink.ts";
import { codeOf, createStreamBench, typesOf } from "./stream-bench.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

describe("a stream that cannot be opened", () => {
  it("W4: a stream of another owner's run, or of none, sends nothing and leaves nothing", async () => {
    const { open, streams, clock } = await createStreamBench();
    await expect(open(0, "eve")).rejects.toMatchObject({ code: "not_found" });
    expect([streams.stats().open, streams.stats().ended, clock.timers()]).toStrictEqual([
      0,
      { not_found: 1 },
      0,
    ]);
  });
});

describe("the heartbeat", () => {
  it("W22: a heartbeat is a status after each 15 s without a frame, and a change comes at once", async () => {
    const { open, append, clock } = await createStreamBench();
    const { sink } = await open();
    clock.advance(14 * SECOND);
    expect(typesOf(sink)).toStrictEqual(["connected"]);
    clock.advance(SECOND);
    expect(sink.frames.at(-1)?.data).toStrictEqual({
      type: "status",
      runStatus: "queued",
      currentPhase: null,
      lastSequence: 0,
    });
    await append("TOKEN");
    await sink.first("run_event");
    expect(typesOf(sink)).toStrictEqual(["connected", "status", "run_event", "status"]);
    expect(sink.frames.at(-1)?.data).toMatchObject({ runStatus: "running", lastSequence: 1 });
    clock.advance(45 * SECOND);
    expect(typesOf(sink).slice(4)).toStrictEqual(["status", "status", "status"]);
  });

  it("W22: the heartbeats of streams that were opened together drift apart, and none is late", async () => {
    const paces = [0, 0.25, 0.5, 0.75, 1 - Number.EPSILON];
    let pace = 0;
    const { open, clock } = await createStreamBench({ random: () => pace, maxAgeMs: 60 * MINUTE });
    const sinks: FakeSink[] = [];
    for (pace of paces) sinks.push((await open()).sink);
    for (let second = 0; second < 300; second++) {
      clock.advance(SECOND);
      await setImmediate();
    }
    const last = sinks.map(({ frames }) => frames.at(-1)?.atMs);
    expect(new Set(last).size).toBe(paces.length);
    for (const { frames } of sinks) {
      const gaps = frames.slice(1).map(({ atMs }, at) => atMs - (frames[at]?.atMs ?? 0));
      expect(Math.max(...gaps)).toBeLessThanOrEqual(15 * SECOND);
      expect(Math.min(...gaps)).toBeGreaterThanOrEqual(14 * SECOND);
    }
  });
});

describe("a slow reader", () => {
  it("W25: a reader that takes nothing for 30 s gets slow_consumer, and is cut 5 s later if it still takes nothing", async () => {
    const { open, append, clock, streams } = await createStreamBench();
    const { sink } = await open(0, "ada", () => false);
    await append("TOKEN");
    clock.advance(29 * SECOND);
    expect([sink.state, typesOf(sink)]).toStrictEqual(["open", ["connected"]]);
    clock.advance(SECOND);
    expect([sink.state, codeOf(sink)]).toStrictEqual(["ended", "slow_consumer"]);
    clock.advance(5 * SECOND);
    expect([sink.state, sink.faults]).toStrictEqual(["destroyed", []]);
    expect(streams.stats()).toStrictEqual({ open: 0, opened: 1, ended: { slow_consumer: 1 } });
    expect(clock.timers()).toBe(0);
  });
});

describe("the maximum age", () => {
  it.each([
    [0, 12],
    [1 - Number.EPSILON, 15],
  ])("W26: the maximum age with a jitter of %d is %d minutes", async (jitter, minutes) => {
    const { open, clock } = await createStreamBench({ random: () => jitter });
    const { sink } = await open();
    for (let heartbeats = 0; heartbeats < minutes * 4 - 1; heartbeats++) {
      clock.advance(15 * SECOND);
      await setImmediate();
    }
    expect(sink.state).toBe("open");
    clock.advance(15 * SECOND);
    await sink.first("error");
    expect([codeOf(sink), sink.state]).toStrictEqual(["max_age", "ended"]);
    expect((sink.frames.at(-1)?.atMs ?? 0) - (sink.frames[0]?.atMs ?? 0)).toBeLessThanOrEqual(
      minutes * MINUTE,
    );
  });
});
