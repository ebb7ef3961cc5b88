import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { cursorOf, news } from "./feed-bench.ts";
import { createRunsBench, wordsOf } from "./runs-bench.ts";
import { settle } from "./changes-world.ts";
import { codeOf, letGo } from "./stream-bench.ts";

describe("a feed on a stream", () => {
  it("W48: it begins with the live runs, and then has each that changes, to its end and its removal", async () => {
    const bench = await createRunsBench(["a", "b", "over"]);
    const { append, log } = bench;
    await append("over", ["RUN_COMPLETED"]);
    const opened = await bench.open([], undefined, {});
    const steps: readonly (readonly [() => Promise<unknown>, readonly string[]])[] = [
      [async () => {}, ["feed_started true", "run a 0", "run b 0", "feed_cursor"]],
      [() => append("a", ["NOTE", "NOTE"]), ["run a 2"]],
      [() => log.createRun({ runId: "c", ownerId: "ada" }), ["run c 0", "feed_cursor"]],
      [() => append("b", ["RUN_FAILED"]), ["run b 1"]],
      [() => log.deleteRun("b"), ["run_gone b", "feed_cursor"]],
      [() => log.createRun({ runId: "bobs", ownerId: "bob" }), []],
    ];
    for (const [step, expected] of steps) {
      const from = opened.sink.frames.length;
      await step();
      const frames = await news(bench, opened, from);
      // The end of a run also notifies its owner, and the page has a new cursor.
      expect(frames.filter((words, at) => at < expected.length || words !== "feed_cursor")).toEqual(
        expected,
      );
    }
    expect(opened.sink.frames.filter(({ id }) => id !== undefined)).toEqual([]);
    expect(opened.sink.frames.slice(1).filter(({ retryMs }) => retryMs !== undefined)).toEqual([]);
    expect(opened.sink.state).toBe("open");
    letGo(opened);
    expect([bench.streams.stats().open, bench.clock.timers()]).toEqual([0, 0]);
  });

  it("W48: each run is a snapshot, with its last event if that is asked for and there is one", async () => {
    const bench = await createRunsBench(["a", "b"]);
    await bench.append("b", ["NOTE"], "separator: \u2028");
    for (const withLast of [false, true]) {
      const opened = await bench.open([], undefined, { withLast });
      await news(bench, opened, 0);
      const states = opened.sink.frames.filter(({ data }) => data["type"] === "run");
      const b = {
        runId: "b",
        ownerId: "ada",
        runStatus: "running",
        currentPhase: null,
        lastSequence: 1,
        createdAt: "1970-01-01T00:00:01.000Z",
        updatedAt: "1970-01-01T00:00:01.000Z",
        finishedAt: null,
        topic: null,
        lease: null,
        metadata: null,
      };
      const last = {
        sequence: 1,
        eventType: "NOTE",
        payload: "separator: \u2028",
        createdAt: "1970-01-01T00:00:01.000Z",
      };
      expect(states.map(({ data }) => data)).toMatchObject([{ run: { runId: "a" } }, { run: b }]);
      expect(states[0]?.data).not.toHaveProperty("last");
      expect(states[1]?.data).toEqual({ type: "run", run: b, ...(withLast && { last }) });
      letGo(opened);
    }
  });

  it("W34, W48: it has the runs of its topic only", async () => {
    const bench = await createRunsBench(["none"]);
    for (const topic of ["tea", "ice"])
      await bench.log.createRun({ runId: topic, ownerId: "ada", topic });
    const opened = await bench.open([], undefined, { topic: "tea" });
    await settle();
    for (const runId of ["tea", "ice", "none"]) await bench.append(runId, ["RUN_COMPLETED"]);
    const frames = await news(bench, opened, 0);
    expect(frames.filter((words) => words.startsWith("run"))).toEqual(["run tea 0", "run tea 1"]);
    await expect(bench.open([], undefined, { topic: "" })).rejects.toMatchObject({
      code: "invalid_request",
    });
  });

  it("W48: one that comes back with its cursor has what changed, and its cursor at once if nothing has", async () => {
    const bench = await createRunsBench(["a", "b"]);
    const first = await bench.open([], undefined, {});
    await news(bench, first, 0);
    const since = cursorOf(first);
    letGo(first);
    const idle = await bench.open([], undefined, { since });
    await settle();
    expect(wordsOf(idle.sink.frames)).toEqual([
      "stream_opened",
      "feed_started false",
      "feed_cursor",
    ]);
    await bench.append("a", ["NOTE"]);
    await bench.append("b", ["RUN_COMPLETED"]);
    await bench.log.deleteRun("b");
    for (const begin of ["live", "all"] as const) {
      const back = await bench.open([], undefined, { since, begin });
      await settle();
      expect(wordsOf(back.sink.frames)).toEqual([
        "stream_opened",
        "feed_started false",
        "run_gone b",
        "run a 1",
        "feed_cursor",
      ]);
    }
    await expect(bench.open([], undefined, { since: "12" })).rejects.toMatchObject({
      code: "invalid_cursor",
    });
  });

  it("W48: a feed of all begins with the newest 50 runs too, before its first cursor", async () => {
    const ids = Array.from({ length: 70 }, (_, at) => `r${at}`);
    const bench = await createRunsBench(ids);
    for (const runId of ids.slice(1)) await bench.append(runId, ["RUN_COMPLETED"]);
    const opened = await bench.open([], undefined, { begin: "all" });
    await settle();
    const frames = wordsOf(opened.sink.frames);
    expect(frames.slice(0, 3)).toEqual(["stream_opened", "feed_started true", "run r0 0"]);
    expect(frames.slice(3)).toEqual([
      ...ids
        .slice(20)
        .toReversed()
        .map((runId) => `run ${runId} 1`),
      "feed_cursor",
    ]);
  });

  it("W47, W48: runs and a feed are on one stream, which goes on after the end of all its runs", async () => {
    const bench = await createRunsBench(["a", "b"]);
    const opened = await bench.open(["a"], undefined, {});
    await bench.append("a", ["RUN_COMPLETED"]);
    const first = await news(bench, opened, 0);
    expect(first).toEqual(expect.arrayContaining(["run_event a 1", "run_finished a", "run a 1"]));
    const from = opened.sink.frames.length;
    await bench.append("b", ["NOTE"]);
    expect(await news(bench, opened, from)).toEqual(["run b 1", "feed_cursor"]);
    expect([opened.sink.state, bench.streams.stats().open]).toEqual(["open", 1]);
  });

  it("W25, W48: a reader that takes nothing gets the newest state in the end, and not those before", async () => {
    const bench = await createRunsBench(["a"]);
    let isFull = false;
    const opened = await bench.open([], () => !isFull, {});
    await news(bench, opened, 0);
    isFull = true;
    for (let at = 0; at < 20; at++) {
      await bench.append("a", ["NOTE"]);
      await news(bench, opened, 0);
    }
    const had = opened.sink.frames.length;
    // It filled the transport.
    expect(wordsOf(opened.sink.frames).slice(-2)).toEqual(["run a 1", "feed_cursor"]);
    isFull = false;
    opened.sink.drain();
    opened.stream.drained();
    expect(await news(bench, opened, had)).toEqual(["run a 20", "feed_cursor"]);
    isFull = true;
    await bench.append("a", ["NOTE"]);
    for (let second = 0; second < 40 && opened.sink.state === "open"; second++) {
      bench.clock.advance(1_000);
      await settle();
    }
    expect([codeOf(opened.sink), opened.sink.state]).toEqual(["slow_consumer", "ended"]);
    letGo(opened);
    expect(bench.clock.timers()).toBe(0);
  });

  it("W25, W47, W48: large runs go out in pieces, and other runs take turns with them", async () => {
    const bench = await createRunsBench(["live"]);
    const metadata = "x".repeat(20_000);
    for (let at = 0; at < 12; at++)
      await bench.log.createRun({ runId: `r${at}`, ownerId: "ada", metadata });
    const sizes: number[] = [];
    const opened = await bench.open(["live"], () => false, { begin: "all" });
    for (let piece = 0; piece < 40; piece++) {
      const before = opened.sink.bytes().length;
      opened.sink.drain();
      opened.stream.drained();
      await setImmediate();
      sizes.push(opened.sink.bytes().length - before);
    }
    expect(opened.sink.faults).toEqual([]);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(49_152);
    const frames = wordsOf(opened.sink.frames);
    expect(frames.filter((words) => words.startsWith("run r")).length).toBe(12);
    expect(frames.indexOf("connected live")).toBeLessThan(frames.indexOf("run r11 0"));
  });
});
