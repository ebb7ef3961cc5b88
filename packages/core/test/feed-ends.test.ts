import { describe, expect, it } from "vitest";
import { STATE_PAUSE_MS } from "../src/follow/owner-watch.ts";
import { RunEventsError } from "../src/rules/errors.ts";
import { createMemoryStore } from "../src/store/memory.ts";
import type { RunEventStore } from "../src/store/store.ts";
import { createDeferred } from "./deferred.ts";
import { news, settle } from "./feed-bench.ts";
import { createRunsBench, letGo, wordsOf } from "./stream-bench.ts";

/** The longest delay of a change by a lost notification, with few feeds. */
const RECHECK_MS = 5_000;
const DOWN = new RunEventsError("store_unavailable", "down");

/** A memory store whose lists fail while `isDown`. */
function failingStore(): RunEventStore & { isDown: boolean } {
  const memory = createMemoryStore({ now: () => 1_000 });
  const store = {
    ...memory,
    isDown: false,
    async list(query: Parameters<RunEventStore["list"]>[0]) {
      if (store.isDown) throw DOWN;
      return memory.list(query);
    },
  };
  return store;
}

describe("the end of a feed on a stream", () => {
  it("W48: a feed that fails ends alone, the runs go on, and the stream's end asks the reader back soon", async () => {
    const store = failingStore();
    const bench = await createRunsBench(["a", "b"], {}, store);
    const opened = await bench.open(["a"], undefined, {});
    await news(bench, opened, 0);
    store.isDown = true;
    bench.clock.advance(RECHECK_MS);
    await settle();
    expect(opened.sink.frames.at(-1)?.data).toEqual({
      type: "error",
      feed: true,
      code: "store_unavailable",
      message: expect.any(String),
      retryable: true,
    });
    expect(opened.sink.frames.at(-1)?.retryMs).toBe(undefined);
    const from = opened.sink.frames.length;
    await bench.append("a", ["RUN_COMPLETED"]);
    await bench.append("b", ["NOTE"]);
    expect(await news(bench, opened, from)).toEqual([
      "run_event a 1",
      "run_finished a",
      "stream_finished",
    ]);
    expect(opened.sink.frames.at(-1)?.retryMs).toBe(500 + Math.floor(0.5 * 14_501));
    letGo(opened);
    expect(bench.clock.timers()).toBe(0);
    store.isDown = false;
    const back = await bench.open([], undefined, {});
    await settle();
    expect(wordsOf(back.sink.frames)).toEqual([
      "stream_opened",
      "feed_started false",
      "run b 1",
      "run a 1",
      "feed_version false",
    ]);
  });

  it("W48: a feed whose first look fails has its error alone, and one of a closed log too", async () => {
    const store = failingStore();
    const bench = await createRunsBench(["a"], {}, store);
    store.isDown = true;
    const { sink } = await bench.open([], undefined, {});
    await settle();
    expect(wordsOf(sink.frames)).toEqual([
      "stream_opened",
      "error feed store_unavailable",
      "stream_finished",
    ]);
    store.isDown = false;
    const second = await bench.open([], undefined, {});
    await settle();
    await bench.log.close();
    await settle();
    expect(wordsOf(second.sink.frames).slice(-2)).toEqual([
      "error feed store_unavailable",
      "stream_finished",
    ]);
    await expect(bench.open([], undefined, {})).rejects.toMatchObject({
      code: "store_unavailable",
    });
  });

  it("W48: a run that is removed while it is read goes once", async () => {
    const memory = createMemoryStore({ now: () => 1_000 });
    const held = createDeferred<void>();
    let reads = 0;
    const store: RunEventStore = {
      ...memory,
      async read(queries) {
        reads += 1;
        // After a change the list reads the run, and then the feed does.
        if (reads === 2) await held.promise;
        return memory.read(queries);
      },
    };
    const bench = await createRunsBench([], {}, store);
    // Metadata so long that the list does not keep it.
    const metadata = "x".repeat(5_000);
    await bench.log.createRun({ runId: "a", ownerId: "ada", metadata });
    const opened = await bench.open([], undefined, {});
    const { length } = await news(bench, opened, 0);
    await bench.append("a", ["RUN_COMPLETED"]);
    reads = 0;
    await news(bench, opened, 0);
    expect(reads).toBe(2);
    await bench.log.deleteRun("a", { ownerId: "ada" });
    for (let pause = 0; pause < 3; pause++) await news(bench, opened, 0);
    held.resolve();
    const words = await news(bench, opened, length);
    expect(words.filter((word) => word.startsWith("run"))).toEqual(["run_gone a"]);
  });

  it("W48: a client that leaves at any time leaves nothing", async () => {
    for (let turns = 0; turns < 30; turns++) {
      let open = 0;
      const memory = createMemoryStore();
      const bench = await createRunsBench(
        ["a", "b"],
        {},
        {
          ...memory,
          subscribe(subject, onNotification) {
            open += 1;
            const { ready, stop } = memory.subscribe(subject, onNotification);
            return {
              ready,
              stop() {
                open -= 1;
                stop();
              },
            };
          },
        },
      );
      const opened = await bench.open([], undefined, { withLast: true });
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      letGo(opened);
      await settle();
      bench.clock.advance(STATE_PAUSE_MS);
      expect([turns, open]).toEqual([turns, 0]);
      expect([bench.clock.timers(), bench.streams.stats().open]).toEqual([0, 0]);
    }
  });
});
