import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { RunEventsError } from "../src/rules/errors.ts";
import { createMemoryStore } from "../src/store/memory.ts";
import { codeOf, createRunsBench, letGo, typesOf, wordsOf } from "./stream-bench.ts";

/** Waits for the first frame of this kind of a run. */
async function until(
  sink: { readonly frames: Parameters<typeof wordsOf>[0]; next(): Promise<void> },
  words: string,
): Promise<void> {
  while (!wordsOf(sink.frames).includes(words)) await sink.next();
}

describe("a stream of many runs", () => {
  it("W47: when its last run has ended, the stream ends, and the reader must not come back", async () => {
    const { append, open, streams, clock } = await createRunsBench(["a"]);
    await append("a", ["RUN_COMPLETED"]);
    const opened = await open(["a"]);
    await until(opened.sink, "stream_finished");
    const { frames, state } = opened.sink;
    expect(wordsOf(frames)).toStrictEqual([
      "stream_opened",
      "connected a",
      "run_event a 1",
      "run_finished a",
      "stream_finished",
    ]);
    expect(frames.flatMap(({ retryMs }) => retryMs ?? [])).toStrictEqual([3_500, 3_600_000]);
    letGo(opened);
    const stats = { open: 0, opened: 1, ended: { run_finished: 1 } };
    expect([state, streams.stats(), clock.timers()]).toStrictEqual(["ended", stats, 0]);
  });

  it("W45, W47: each run begins at its own cursor, or a number of events before its end", async () => {
    const { append, open } = await createRunsBench(["a", "b", "c"]);
    for (const runId of ["a", "b", "c"]) await append(runId, Array<string>(9).fill("NOTE"));
    const { sink } = await open([
      { runId: "a", since: 7 },
      { runId: "b", since: 0, tail: 1 },
      { runId: "c", since: 9 },
    ]);
    await until(sink, "run_event a 9");
    await until(sink, "run_event b 9");
    await append("c", ["NOTE"]);
    await until(sink, "run_event c 10");
    const begins = sink.frames.flatMap(({ data }) =>
      data["type"] === "connected" ? [[data["runId"], data["since"], data["lastSequence"]]] : [],
    );
    expect(begins.toSorted(([a], [b]) => String(a).localeCompare(String(b)))).toStrictEqual([
      ["a", 7, 9],
      ["b", 8, 9],
      ["c", 9, 9],
    ]);
    const events = wordsOf(sink.frames).filter((words) => words.startsWith("run_event"));
    expect(events.toSorted()).toStrictEqual([
      "run_event a 8",
      "run_event a 9",
      "run_event b 9",
      "run_event c 10",
    ]);
  });

  it("W47: if all that ended may be read again, the stream's end asks the reader to come back soon", async () => {
    const store = createMemoryStore();
    const failing = new RunEventsError("store_unavailable", "down");
    const { open, append } = await createRunsBench(
      ["a", "b"],
      {},
      {
        ...store,
        async read(queries) {
          if (queries.some(({ runId }) => runId === "b")) throw failing;
          return store.read(queries);
        },
      },
    );
    await append("a", ["RUN_COMPLETED"]);
    const { sink } = await open(["b"]);
    await until(sink, "stream_finished");
    expect(wordsOf(sink.frames)).toStrictEqual([
      "stream_opened",
      "error b store_unavailable",
      "stream_finished",
    ]);
    expect(sink.frames.at(-1)?.retryMs).toBe(500 + Math.floor(0.5 * 14_501));
  });

  it("W22, W47: a silent stream of many runs has one heartbeat for all of them", async () => {
    const { open, clock, append } = await createRunsBench(["a", "b"]);
    const { sink } = await open(["a", "b"]);
    await until(sink, "connected b");
    const before = sink.frames.length;
    for (let second = 0; second < 45; second++) {
      clock.advance(1_000);
      await setImmediate();
    }
    expect(typesOf(sink).slice(before)).toStrictEqual(["heartbeat", "heartbeat", "heartbeat"]);
    await append("a", ["NOTE"]);
    await until(sink, "run_event a 1");
  });

  it("W26, W27, W47: a lost session, the age and a shutdown end the whole stream with one error", async () => {
    for (const [end, code, isRetryable] of [
      ["session", "unauthenticated", false],
      ["age", "max_age", true],
      ["drain", "draining", true],
      ["stall", "slow_consumer", true],
    ] as const) {
      const bench = await createRunsBench(["a", "b"]);
      const { sink, stream } = await bench.open(["a", "b"], () => end !== "stall");
      if (end === "session") bench.verdict = "unauthenticated";
      if (end === "drain") void bench.streams.drain(1_000);
      const seconds = end === "age" ? 900 : 40;
      for (let second = 0; second < seconds && sink.state === "open"; second++) {
        bench.clock.advance(1_000);
        await setImmediate();
      }
      expect([codeOf(sink), sink.state, "runId" in (sink.frames.at(-1)?.data ?? {})]).toStrictEqual(
        [code, "ended", false],
      );
      expect(sink.frames.at(-1)?.data["retryable"]).toBe(isRetryable);
      letGo({ sink, stream });
      expect([bench.streams.stats().open, bench.clock.timers()]).toStrictEqual([0, 0]);
    }
  });

  it("W28, W47: it counts as one stream of its user, and its runs count for the process", async () => {
    const bench = await createRunsBench(["a"], { maxStreamsPerUser: 2, maxStreams: 3 });
    const names = Array.from({ length: 100 }, (_, at) => `r${at}`);
    const opened = [await bench.open(names), await bench.open(names)];
    const third = await bench.open(["a"]);
    expect(codeOf(third.sink)).toBe("overloaded");
    for (const one of opened) letGo(one);
    expect(bench.streams.stats().open).toBe(0);
    const other = await createRunsBench(["a"], { maxStreamsPerUser: 99, maxStreams: 99 });
    const many = [];
    const users = Array.from({ length: 10 }, (_, at) => `user-${at}`);
    for (const user of users) many.push(await other.open(names, undefined, undefined, user));
    const late = await other.open(["a"]);
    expect(codeOf(late.sink)).toBe("overloaded");
    expect(wordsOf(late.sink.frames)).toStrictEqual(["error overloaded"]);
    for (const one of many.splice(0, 1)) letGo(one);
    expect(codeOf((await other.open(["a"])).sink)).toBe(undefined);
  });

  it("W28, W47, W48: one user's streams read a quarter of the runs, and the next user has room", async () => {
    const bench = await createRunsBench(["a"], { maxStreams: 1 });
    const few = await createRunsBench(["a"], { maxStreams: 100 });
    const names = Array.from({ length: 100 }, (_, at) => `r${at}`);
    const first = await few.open(names, undefined, {});
    const opened = [first, await few.open(names, undefined, {}), await few.open(names.slice(52))];
    expect(opened.map(({ sink }) => codeOf(sink))).toStrictEqual([undefined, undefined, undefined]);
    const late = await few.open(["a"]);
    expect(wordsOf(late.sink.frames)).toStrictEqual(["error overloaded"]);
    const bobs = await few.open(names, undefined, {}, "bob");
    expect(codeOf(bobs.sink)).toBe(undefined);
    letGo(first);
    expect(codeOf((await few.open(names)).sink)).toBe(undefined);
    // Also the smallest server has room for a full stream.
    expect(codeOf((await bench.open(names, undefined, {})).sink)).toBe(undefined);
  });
});
