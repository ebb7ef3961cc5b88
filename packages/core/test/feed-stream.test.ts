import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { leave, news, settle, versionOf } from "./feed-bench.ts";
import { codeOf, createRunsBench, letGo, wordsOf } from "./stream-bench.ts";

describe("a feed on a stream", () => {
  it("W48: it begins with the list, newest first, and then has each run that changes, to its end and its removal", async () => {
    const bench = await createRunsBench(["a", "b", "over"]);
    const { append, log } = bench;
    await append("over", ["RUN_COMPLETED"]);
    const opened = await bench.open([], undefined, {});
    const begin = ["feed_started false", "run over 1", "run b 0", "run a 0", "feed_version false"];
    const steps: readonly (readonly [() => Promise<unknown>, readonly string[]])[] = [
      [async () => {}, ["stream_opened", ...begin]],
      [() => append("a", ["NOTE", "NOTE"]), ["run a 2", "feed_version false"]],
      [() => log.createRun({ runId: "c", ownerId: "ada" }), ["run c 0", "feed_version false"]],
      [() => append("b", ["RUN_FAILED"]), ["run b 1", "feed_version false"]],
      [() => log.deleteRun("b", { ownerId: "ada" }), ["run_gone b", "feed_version false"]],
      [() => log.createRun({ runId: "bobs", ownerId: "bob" }), []],
      [() => log.claim("c", { ownerId: "ada", leaseMs: 1_000 }), []],
    ];
    for (const [step, expected] of steps) {
      const from = step === steps[0]?.[0] ? 0 : opened.sink.frames.length;
      await step();
      expect(await news(bench, opened, from)).toEqual(expected);
    }
    expect(opened.sink.frames.filter(({ id }) => id !== undefined)).toEqual([]);
    expect(opened.sink.frames.slice(1).filter(({ retryMs }) => retryMs !== undefined)).toEqual([]);
    expect(opened.sink.state).toBe("open");
    leave(bench, opened);
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
      expect(states.map(({ data }) => data)).toMatchObject([{ run: b }, { run: { runId: "a" } }]);
      expect(states[1]?.data).not.toHaveProperty("last");
      expect(states[0]?.data).toEqual({ type: "run", run: b, ...(withLast && { last }) });
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

  it("W48: one that comes back with the version that the list still has gets no run, and the whole list otherwise", async () => {
    const bench = await createRunsBench(["a", "b"]);
    const first = await bench.open([], undefined, {});
    await news(bench, first, 0);
    const have = versionOf(first);
    leave(bench, first);
    const back = await bench.open([], undefined, { have });
    await settle();
    const same = ["stream_opened", "feed_started true", "feed_version false"];
    expect([wordsOf(back.sink.frames), versionOf(back)]).toEqual([same, have]);
    const from = back.sink.frames.length;
    await bench.append("a", ["NOTE"]);
    expect(await news(bench, back, from)).toEqual(["run a 1", "feed_version false"]);
    expect(versionOf(back)).not.toBe(have);
    for (const other of [have, "any text"]) {
      const late = await bench.open([], undefined, { have: other });
      expect(await news(bench, late, 1)).toEqual([
        "feed_started false",
        "run b 0",
        "run a 1",
        "feed_version false",
      ]);
    }
  });

  it("W47, W48: runs and a feed are on one stream, which goes on after the end of all its runs", async () => {
    const bench = await createRunsBench(["a", "b"]);
    const opened = await bench.open(["a"], undefined, {});
    await bench.append("a", ["RUN_COMPLETED"]);
    const first = await news(bench, opened, 0);
    expect(first).toEqual(expect.arrayContaining(["run_event a 1", "run_finished a", "run a 1"]));
    const from = opened.sink.frames.length;
    await bench.append("b", ["NOTE"]);
    expect(await news(bench, opened, from)).toEqual(["run b 1", "feed_version false"]);
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
    expect(wordsOf(opened.sink.frames).slice(-2)).toEqual(["run a 1", "feed_version false"]);
    isFull = false;
    opened.sink.drain();
    opened.stream.drained();
    expect(await news(bench, opened, had)).toEqual(["run a 20", "feed_version false"]);
    isFull = true;
    await bench.append("a", ["NOTE"]);
    for (let second = 0; second < 40 && opened.sink.state === "open"; second++) {
      bench.clock.advance(1_000);
      await settle();
    }
    expect([codeOf(opened.sink), opened.sink.state]).toEqual(["slow_consumer", "ended"]);
    leave(bench, opened);
    expect(bench.clock.timers()).toBe(0);
  });

  it("W25, W47, W48: large runs go out in pieces, and other runs take turns with them", async () => {
    const bench = await createRunsBench(["live"]);
    const metadata = "x".repeat(20_000);
    for (let at = 0; at < 12; at++)
      await bench.log.createRun({ runId: `r${at}`, ownerId: "ada", metadata });
    const sizes: number[] = [];
    const opened = await bench.open(["live"], () => false, {});
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
    expect(frames.indexOf("connected live")).toBeLessThan(frames.indexOf("run r0 0"));
  });
});
