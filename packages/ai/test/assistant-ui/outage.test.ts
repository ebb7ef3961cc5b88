import { createMemoryStore, createRunEvents, type RunEvents } from "@tm/run-events-core";
import { createResumableStreamContext } from "assistant-stream/resumable";
import { expect, it, onTestFinished, vi } from "vitest";
import { createRunEventsResumableStreamStore } from "../../src/assistant-ui.ts";
import { createFailingStore, IN_DOUBT } from "../failing-store.ts";
import { createTextSource } from "../text-source.ts";
import { acquireLease, bytesOf, readStore } from "./read-store.ts";

const DAY_MS = 86_400_000;

function createRuns(): RunEvents {
  const runs = createRunEvents({ store: createMemoryStore() });
  onTestFinished(() => runs.close());
  return runs;
}

/** Fakes the time to live. The store and the leases go on with the real time. */
function fakeTime(): void {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
}

it("a store that is away for a moment costs no bytes, and no end", async () => {
  const { store: failing, refuse } = createFailingStore();
  const runs = createRunEvents({ store: failing });
  const store = createRunEventsResumableStreamStore({ runs });
  const lease = await acquireLease(store, "a");
  refuse(2);
  await store.append("a", bytesOf("1"), lease);
  refuse(2);
  expect(await store.finalize("a", "done", undefined, lease)).toBe(true);
  expect(await readStore(store, "a")).toMatchObject({ texts: ["1"], error: null });
  await runs.close();
});

it("a source whose bytes are lost ends all readers with an error", async () => {
  const { store: failing, refuse } = createFailingStore();
  const runs = createRunEvents({ store: failing });
  const store = createRunEventsResumableStreamStore({ runs });
  const { stream, write, cancelled } = createTextSource();
  const context = createResumableStreamContext({ store });
  await context.run("a", () => stream.pipeThrough(new TextEncoderStream()));
  refuse(1, IN_DOUBT);
  write("1");
  await cancelled;
  expect((await readStore(store, "a")).error).toMatchObject({ message: IN_DOUBT.message });
  await runs.close();
});

it("a stream that another process appends to lives on", async () => {
  const runs = createRuns();
  fakeTime();
  const [here, there] = [runs, runs].map((one) =>
    createRunEventsResumableStreamStore({ runs: one }),
  );
  if (here === undefined || there === undefined) return expect.unreachable();
  const lease = await acquireLease(here, "a", { ttlMs: 60_000 });
  for (const text of ["1", "2", "3"]) {
    await there.append("a", bytesOf(text), lease);
    await vi.advanceTimersByTimeAsync(60_000);
  }
  expect(await there.finalize("a", "done", undefined, lease)).toBe(true);
});

it("a stream without an append fails after its time to live", async () => {
  const runs = createRuns();
  fakeTime();
  const store = createRunEventsResumableStreamStore({ runs });
  const lease = await acquireLease(store, "a", { ttlMs: DAY_MS });
  await vi.advanceTimersByTimeAsync(DAY_MS - 1);
  await store.append("a", bytesOf("1"), lease);
  await vi.advanceTimersByTimeAsync(DAY_MS - 1);
  expect(await store.status("a")).toBe("streaming");
  const reading = readStore(store, "a");
  await vi.advanceTimersByTimeAsync(1);
  expect((await reading).error).toMatchObject({ message: "Stream expired" });
});

it("a time to live without an end is kept", async () => {
  const store = createRunEventsResumableStreamStore({ runs: createRuns(), defaultTtlMs: 0 });
  const lease = await acquireLease(store, "a", { ttlMs: Infinity });
  await store.finalize("a", "done", undefined, lease);
  expect(await store.status("a")).toBe("done");
});

it("a time to live that is no number is refused", async () => {
  const store = createRunEventsResumableStreamStore({ runs: createRuns() });
  for (const ttlMs of [Number.NaN, -1])
    await expect(store.acquire("a", { ttlMs })).rejects.toBeInstanceOf(TypeError);
});

it("bytes that are appended at once are read in the order of the calls", async () => {
  const { store: failing, refuse } = createFailingStore();
  const runs = createRunEvents({ store: failing });
  const store = createRunEventsResumableStreamStore({ runs });
  const lease = await acquireLease(store, "a");
  const digest = crypto.subtle.digest.bind(crypto.subtle);
  let digests = 0;
  const spy = vi.spyOn(crypto.subtle, "digest").mockImplementation(async (...args) => {
    digests += 1;
    // The host may answer the first one last.
    for (let turns = digests === 1 ? 5 : 0; turns > 0; turns -= 1) await new Promise(setImmediate);
    return digest(...args);
  });
  onTestFinished(() => spy.mockRestore());
  refuse(1);
  await Promise.all(["1", "2", "3"].map((text) => store.append("a", bytesOf(text), lease)));
  await store.finalize("a", "done", undefined, lease);
  expect((await readStore(store, "a")).texts).toEqual(["1", "2", "3"]);
  await runs.close();
});

it("the bytes of a chunk are those at the call", async () => {
  const store = createRunEventsResumableStreamStore({ runs: createRuns() });
  const lease = await acquireLease(store, "a");
  const chunk = bytesOf("1");
  const appended = store.append("a", chunk, lease);
  chunk.fill(0);
  await appended;
  await store.finalize("a", "done", undefined, lease);
  expect((await readStore(store, "a")).texts).toEqual(["1"]);
});

it("a chunk takes no more events at once than the store does", async () => {
  const runs = createRunEvents({
    store: createMemoryStore(),
    maxBatchEvents: 2,
    maxPayloadBytes: 128,
  });
  const store = createRunEventsResumableStreamStore({ runs });
  const lease = await acquireLease(store, "a");
  const text = "x".repeat(1_000);
  await Promise.all([text, "y"].map((one) => store.append("a", bytesOf(one), lease)));
  await store.finalize("a", "done", undefined, lease);
  expect((await readStore(store, "a")).texts.join("")).toBe(`${text}y`);
  await runs.close();
});

it("a stream that is deleted while an append is refused is missing", async () => {
  const runs = createRuns();
  const getRun: RunEvents["log"]["getRun"] = async (runId, options) => {
    await runs.delete(runId, options);
    return runs.log.getRun(runId, options);
  };
  const deleting: RunEvents = { ...runs, log: { ...runs.log, getRun } };
  const store = createRunEventsResumableStreamStore({ runs });
  const late = createRunEventsResumableStreamStore({ runs: deleting });
  const lease = await acquireLease(store, "a");
  await store.finalize("a", "done", undefined, lease);
  await expect(late.append("a", bytesOf("1"), lease)).rejects.toMatchObject({
    name: "ResumableStreamError",
    code: "missing",
  });
});
