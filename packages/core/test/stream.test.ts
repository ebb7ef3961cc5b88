import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { createFakeSink, type FakeSink } from "./fake-sink.ts";
import { newEvent } from "./run-record.ts";
import { codeOf, createStreamBench, typesOf } from "./stream-bench.ts";
import { createStreamWorld, cut, HEARTBEAT_MS, record, unblock } from "./stream-world.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

describe("the cursor", () => {
  it.each([
    ["a live run", ["TOKEN"], 2],
    ["a finished run", ["RUN_COMPLETED"], 3],
  ] as const)(
    "W24: a stream past the end of %s is an error frame, never silence",
    async (_what, events, since) => {
      const { open, append, streams, clock } = await createStreamBench();
      await append(...events);
      const { sink } = await open(since);
      expect(sink.frames).toMatchObject([
        {
          data: { type: "error", code: "cursor_ahead", retryable: false, lastSequence: 1 },
          id: undefined,
          retryMs: 3_600_000,
        },
      ]);
      expect(sink.state).toBe("ended");
      expect(streams.stats()).toStrictEqual({ open: 0, opened: 1, ended: { cursor_ahead: 1 } });
      expect(clock.timers()).toBe(0);
    },
  );

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

  it("W22: heartbeats stop while the transport is full, and continue when it has drained", async () => {
    const { open, clock } = await createStreamBench();
    let takes = false;
    const { sink, stream } = await open(0, "ada", () => takes);
    clock.advance(20 * SECOND);
    expect(typesOf(sink)).toStrictEqual(["connected"]);
    takes = true;
    sink.drain();
    stream.drained();
    clock.advance(SECOND);
    expect([typesOf(sink), sink.faults]).toStrictEqual([["connected", "status"], []]);
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

  it("W25: a slow reader costs the others nothing, and reads on from its position", async () => {
    const { open, append } = await createStreamBench();
    const slow = await open(0, "ada", () => false);
    const fast = await open();
    await append("TOKEN");
    await append("RUN_COMPLETED");
    await fast.sink.first("run_finished");
    expect(typesOf(slow.sink)).toStrictEqual(["connected"]);
    while (slow.sink.state === "open") {
      slow.sink.drain();
      slow.stream.drained();
      await setImmediate();
    }
    const events = (sink: FakeSink): unknown[] =>
      sink.frames
        .filter(({ id, data }) => id !== undefined && data["type"] !== "connected")
        .map(({ data }) => data);
    expect(events(slow.sink)).toStrictEqual(events(fast.sink));
    expect(slow.sink.faults).toStrictEqual([]);
  });

  it("W25: a transport that drains within the write that filled it is not left waiting", async () => {
    const { append, streams, clock } = await createStreamBench();
    const sink = createFakeSink(() => clock.now());
    const stream = streams.open({
      runId: "r",
      ownerId: "ada",
      since: 0,
      authorize: async () => null,
    });
    await stream.ready;
    stream.start({
      ...sink,
      write(bytes) {
        sink.write(bytes);
        stream.drained();
        return false;
      },
    });
    await append("TOKEN");
    await append("TOKEN");
    await append("RUN_COMPLETED");
    await sink.first("run_finished");
    expect(sink.frames.flatMap(({ id }) => id ?? [])).toStrictEqual(["0", "1", "2", "3", "4"]);
    expect(sink.faults).toStrictEqual([]);
    stream.closed();
  });
});

describe("a page of the log that is on its way", () => {
  it("W25: a page is not sent into a transport that a heartbeat has filled meanwhile, and not lost", async () => {
    // The first write leaves room, the second none, and that one does not drain at once.
    const answers = [true, false, false].values();
    const world = await createStreamWorld(
      () => answers.next().value ?? true,
      () => 0,
    );
    record(world, "ada", [newEvent("TOKEN"), newEvent("TOKEN")]);
    const conversation = world.open("ada", 0);
    const { sink } = conversation;
    world.source.readies[0]?.resolve();
    // The read that opens the reader; then its page is read.
    await setImmediate();
    world.source.answerAll();
    await setImmediate();
    expect([typesOf(sink), world.source.reads.length]).toStrictEqual([["connected"], 1]);
    world.clock.advance(HEARTBEAT_MS);
    world.source.answerAll();
    await setImmediate();
    expect(typesOf(sink)).toStrictEqual(["connected", "status"]);
    unblock(conversation);
    world.source.answerAll();
    await setImmediate();
    expect(typesOf(sink).slice(2)).toStrictEqual(["run_event", "run_event"]);
    expect(sink.faults).toStrictEqual([]);
    cut(conversation);
  });
});

describe("authorisation", () => {
  it("W26: the session is checked every 15 s, on a busy stream too, and its loss ends the stream for good", async () => {
    const bench = await createStreamBench();
    const { sink } = await bench.open();
    bench.verdict = "unauthenticated";
    for (let second = 0; second < 15; second++) {
      expect(sink.state).toBe("open");
      await bench.append("TOKEN");
      bench.clock.advance(SECOND);
    }
    await sink.first("error");
    expect(sink.frames.at(-1)).toMatchObject({
      data: { code: "unauthenticated", retryable: false },
      retryMs: 3_600_000,
    });
  });

  it("W26: after a session check that failed the reader may come back", async () => {
    const bench = await createStreamBench();
    const { sink } = await bench.open();
    bench.verdict = new Error("the session store is down");
    bench.clock.advance(15 * SECOND);
    await sink.first("error");
    expect(sink.frames.at(-1)?.data).toMatchObject({ code: "store_unavailable", retryable: true });
  });

  it("W26: a run that is deleted ends its streams with not_found", async () => {
    const { open, append, log } = await createStreamBench();
    const { sink, stream } = await open(0, "ada", () => false);
    await append("RUN_COMPLETED");
    await log.deleteRun("r", { ownerId: "ada" });
    await setImmediate();
    sink.drain();
    stream.drained();
    await sink.first("error");
    expect(sink.frames.at(-1)?.data).toMatchObject({ code: "not_found", retryable: false });
  });
});

describe("the maximum age", () => {
  it.each([
    [0, 12],
    [0.5, 13.5],
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
