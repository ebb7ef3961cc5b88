import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { RunEventsError } from "../src/rules/errors.ts";
import { createMemoryStore } from "../src/store/memory.ts";
import { createFakeSink } from "./fake-sink.ts";
import { codeOf, createStreamBench, letGo, typesOf } from "./stream-bench.ts";

describe("the end of the server", () => {
  it("W27: a drain spreads the ends of its streams over the window, and resolves when the last has closed", async () => {
    const jitters = [0.1, 0.9, 0.5].values();
    let draining = false;
    const random = (): number => (draining ? (jitters.next().value ?? 0) : 0);
    const { open, clock, streams } = await createStreamBench({ random });
    const opened = [await open(), await open(), await open()] as const;
    draining = true;
    let over = false;
    const drained = streams.drain(5_000).then(() => (over = true));
    clock.advance(5_000);
    expect(opened.map(({ sink }) => codeOf(sink))).toStrictEqual([
      "draining",
      "draining",
      "draining",
    ]);
    const [a = 0, b = 0, c = 0] = opened.map(({ sink }) => sink.frames.at(-1)?.atMs ?? 0);
    expect([c - a, b - c]).toStrictEqual([2_000, 2_000]);
    letGo(opened[0]);
    letGo(opened[1]);
    await setImmediate();
    expect([over, streams.stats().open]).toStrictEqual([false, 1]);
    letGo(opened[2]);
    await drained;
    expect([streams.stats().open, clock.timers()]).toStrictEqual([0, 0]);
  });

  it("S18: a log that closes ends its streams with store_unavailable", async () => {
    const { open, log, clock } = await createStreamBench();
    const opened = await open();
    await log.close();
    expect(opened.sink.frames.at(-1)?.data).toMatchObject({
      code: "store_unavailable",
      retryable: true,
    });
    letGo(opened);
    expect(clock.timers()).toBe(0);
  });
});

describe("a stream that does not get as far as its first frame", () => {
  const never = { ready: new Promise<void>(() => {}), stop(): void {} };
  const silent = { ...createMemoryStore(), subscribe: () => never };
  const request = { runId: "r", ownerId: "ada", since: 0, authorize: async () => null };

  it("W28: a stream that does not start is closed after 30 s, and a late transport gets the reason", async () => {
    const { streams, clock } = await createStreamBench();
    const stream = streams.open(request);
    await stream.ready;
    clock.advance(29_000);
    expect(streams.stats().open).toBe(1);
    clock.advance(1_000);
    expect([streams.stats().open, clock.timers()]).toStrictEqual([0, 0]);
    const sink = createFakeSink(() => clock.now());
    stream.start(sink);
    expect([typesOf(sink), codeOf(sink)]).toStrictEqual([["error"], "slow_consumer"]);
    expect(streams.stats().ended).toStrictEqual({ slow_consumer: 1 });
  });

  it("W28: a stream is closed, too, if the store does not answer", async () => {
    const { streams, clock } = await createStreamBench({}, silent);
    streams.open(request);
    clock.advance(30_000);
    expect(streams.stats()).toStrictEqual({
      open: 0,
      opened: 1,
      ended: { store_unavailable: 1 },
    });
    expect(clock.timers()).toBe(0);
  });
});

describe("the limits", () => {
  it("W28: the limits admit 32 streams a user by default, and refuse more in a frame after which a client retries", async () => {
    const { open, streams, log } = await createStreamBench();
    await log.createRun({ runId: "b", ownerId: "bob" });
    const opened = await Promise.all(Array.from({ length: 32 }, () => open()));
    const { sink } = await open();
    expect(sink.frames).toMatchObject([
      {
        data: { type: "error", code: "overloaded", retryable: true },
        id: undefined,
        retryMs: 7_750,
      },
    ]);
    expect(sink.state).toBe("ended");
    const bobs = streams.open({
      runId: "b",
      ownerId: "bob",
      since: 0,
      authorize: async () => null,
    });
    await bobs.ready;
    expect(streams.stats()).toStrictEqual({ open: 33, opened: 33, ended: { overloaded: 1 } });
    letGo(opened[0] ?? (await open()));
    expect(typesOf((await open()).sink)).toStrictEqual(["connected"]);
    bobs.closed();
  });
});

describe("refuse", () => {
  it("W28: refuse answers with the frame of the error, and counts it as an end", async () => {
    const { streams, clock } = await createStreamBench();
    const sent = streams.refuse(new RunEventsError("store_unavailable", "down"));
    const unsent = streams.refuse(new Error("not foreseen"));
    const sink = createFakeSink(() => clock.now());
    await sent.ready;
    sent.start(sink);
    expect(sink.frames).toMatchObject([{ data: { type: "error", code: "store_unavailable" } }]);
    expect(sink.state).toBe("ended");
    const gone = createFakeSink(() => clock.now());
    unsent.closed();
    unsent.start(gone);
    expect(gone.frames).toStrictEqual([]);
    expect(streams.stats()).toStrictEqual({
      open: 0,
      opened: 0,
      ended: { store_unavailable: 1, internal: 1 },
    });
  });
});

it("S13: an ended stream follows its run no longer, though its transport has not closed", async () => {
  const { open, append, clock } = await createStreamBench();
  const opened = await open();
  await append("RUN_COMPLETED");
  await opened.sink.first("run_finished");
  // The streams' own timer is left, which cuts the transport in the end.
  expect(clock.timers()).toBe(1);
  letGo(opened);
  expect(clock.timers()).toBe(0);
});
