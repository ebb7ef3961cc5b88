import type { StreamChunk } from "@tanstack/ai";
import {
  createMemoryStore,
  createRunEvents,
  type RunEvents,
  type WorkedRun,
} from "@tm/run-events-core";
import { expect, it } from "vitest";
import { runEventsStream } from "../../src/tanstack-ai.ts";
import { createFailingStore, IN_DOUBT } from "../failing-store.ts";
import { finishChunk, readRun, startChunk, textChunk } from "./chunks.ts";

const failed = { code: "run_finished", details: { runStatus: "failed" } };
/** The end of a round of an agent, which then calls a tool. */
const roundChunk = (runId: string): StreamChunk =>
  ({ ...finishChunk(runId), finishReason: "tool_calls" }) as StreamChunk;

it("a run that has lost chunks is not whole, although its close lands", async () => {
  const { store, refuse } = createFailingStore();
  const runs = createRunEvents({ store });
  const producer = runEventsStream({ runId: "a" }, { runs });
  await producer.append([textChunk("1"), roundChunk("a")]);
  refuse(1, IN_DOUBT);
  await expect(producer.append([textChunk("2")])).rejects.toBe(IN_DOUBT);
  await producer.close();
  const read = await readRun(runEventsStream({ runId: "a" }, { runs }));
  expect(read).toMatchObject({ texts: ["1", "RUN_FINISHED"], error: failed });
  await runs.close();
});

it("a run that is closed while its chunks get lost is not whole", async () => {
  const { store, refuse } = createFailingStore();
  const runs = createRunEvents({ store });
  const producer = runEventsStream({ runId: "a" }, { runs });
  await producer.append([textChunk("1")]);
  refuse(1, IN_DOUBT);
  const lost = expect(producer.append([textChunk("2")])).rejects.toBe(IN_DOUBT);
  await Promise.all([lost, producer.close()]);
  expect((await readRun(runEventsStream({ runId: "a" }, { runs }))).error).toMatchObject(failed);
  await runs.close();
});

it("a run whose model was stopped is not whole", async () => {
  const runs = createRunEvents({ store: createMemoryStore() });
  for (const last of [textChunk("1"), roundChunk("a")]) {
    const abortController = new AbortController();
    const source = { runId: last.type };
    const producer = runEventsStream(source, { runs, abortController });
    await producer.append([startChunk("a"), last]);
    abortController.abort();
    await producer.close();
    expect((await readRun(runEventsStream(source, { runs }))).error).toMatchObject(failed);
  }
  const abortController = new AbortController();
  const producer = runEventsStream({ runId: "b" }, { runs, abortController });
  await producer.append([textChunk("1"), finishChunk("b")]);
  abortController.abort();
  await producer.close();
  expect((await readRun(runEventsStream({ runId: "b" }, { runs }))).error).toBeNull();
  await runs.close();
});

it("a run that is closed while its process shuts down is not whole", async () => {
  const abortController = new AbortController();
  const store = createMemoryStore();
  const here = createRunEvents({ store: { ...store, close: async () => {} } });
  const producer = runEventsStream({ runId: "a" }, { runs: here, abortController });
  await producer.append([startChunk("a"), textChunk("1")]);
  const closed = new Promise((resolve) =>
    abortController.signal.addEventListener("abort", () => resolve(producer.close())),
  );
  await here.close();
  await closed;
  const there = createRunEvents({ store });
  expect((await readRun(runEventsStream({ runId: "a" }, { runs: there }))).error).toMatchObject(
    failed,
  );
  await there.close();
});

/** Runs whose workers have to stop as soon as they begin. */
function stopAtOnce(runs: RunEvents): RunEvents {
  return {
    ...runs,
    start: (run, task) =>
      runs.start(run, (worked: WorkedRun) => {
        const stop = new AbortController();
        const value = task({ ...worked, signal: stop.signal });
        stop.abort(new Error("stop"));
        return value;
      }),
  };
}

it("a producer that has to stop before its first chunk lands stops its model", async () => {
  const runs = createRunEvents({ store: createMemoryStore() });
  const abortController = new AbortController();
  const options = { runs: stopAtOnce(runs), abortController };
  const producer = runEventsStream({ runId: "a" }, options);
  await producer.append([textChunk("1")]).catch(() => {});
  expect(abortController.signal.aborted).toBe(true);
  await runs.close();
});

it("chunks that are appended at once are read in the order of the calls, also a large one", async () => {
  const { store, refuse } = createFailingStore();
  const runs = createRunEvents({ store, maxBatchEvents: 2, maxPayloadBytes: 128 });
  const producer = runEventsStream({ runId: "a" }, { runs });
  const texts = ["1", "x".repeat(1_000), "2", "3"];
  await producer.append([textChunk("0")]);
  refuse(2);
  const appends = texts.map((text) => producer.append([textChunk(text)]));
  const offsets = (await Promise.all([...appends, producer.close()])).flatMap((one) => one ?? []);
  const read = await readRun(runEventsStream({ runId: "a" }, { runs }));
  expect(read.texts).toEqual(["0", ...texts]);
  expect(read.offsets.slice(1)).toEqual(offsets);
  await runs.close();
});
