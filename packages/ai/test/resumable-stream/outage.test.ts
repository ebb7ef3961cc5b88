import {
  createMemoryStore,
  createRunEvents,
  type RunEvents,
  RunEventsError,
} from "@tm/run-events-core";
import { expect, it, onTestFinished, vi } from "vitest";
import { createThreads } from "../../src/ag-ui.ts";
import { createChats } from "../../src/ai-sdk.ts";
import { createRunEventsResumableStreamStore } from "../../src/assistant-ui.ts";
import { createResumableStreamContext } from "../../src/resumable-stream.ts";
import { runEventsStream } from "../../src/tanstack-ai.ts";
import { createFailingStore } from "../failing-store.ts";
import { acquireLease, bytesOf } from "../assistant-ui/read-store.ts";
import { textChunk } from "../tanstack-ai/chunks.ts";
import { createTextSource, readAll, readPart, readUntil, streamOf } from "../text-source.ts";

it("a producer that loses its store for longer than its lease stops, and all readers get an error", async () => {
  const store = createMemoryStore();
  const failing = createFailingStore(store);
  const [here, there] = [failing.store, store].map((one) =>
    createResumableStreamContext({ runs: createRunEvents({ store: one }), leaseMs: 2_000 }),
  );
  const { stream, write, cancelled } = createTextSource();
  const made = await here?.createNewResumableStream("a", () => stream);
  write("1");
  const other = await there?.resumeExistingStream("a");
  await readUntil(other, "1");
  failing.cutOff();
  write("2");
  const [{ text, error }, otherPart] = await Promise.all([readPart(made), readPart(other)]);
  expect(text).toBe("12");
  expect(error).toBeInstanceOf(RunEventsError);
  expect(otherPart).toMatchObject({ text: "", error: { code: "run_finished" } });
  await cancelled;
  const late = await readPart(await there?.resumeExistingStream("a"));
  expect(late).toMatchObject({ text: "1", error: { details: { runStatus: "failed" } } });
  await store.close();
});

it("a store that is away for a moment, also at the start, costs no text", async () => {
  const { store, refuse } = createFailingStore();
  const runs = createRunEvents({ store });
  const streams = createResumableStreamContext({ runs, mergeMs: 0 });
  const made = await streams.createNewResumableStream("a", (signal) => {
    refuse(2);
    signal.addEventListener("abort", () => expect.unreachable());
    return streamOf(["1", "2"]);
  });
  expect(await readAll(made)).toBe("12");
  expect(await readAll(await streams.resumeExistingStream("a"))).toBe("12");
  await runs.close();
});

it("a store that is away for a moment costs no reader of any import a part", async () => {
  const { store, refuseReads } = createFailingStore();
  const runs = createRunEvents({ store });
  const source = createTextSource();
  const streams = createResumableStreamContext({ runs, mergeMs: 0 });
  await streams.resumableStream("a", () => source.stream);
  const bytes = createRunEventsResumableStreamStore({ runs });
  const lease = await acquireLease(bytes, "a");
  const chunks = runEventsStream({ runId: "a" }, { runs });
  const write = async (text: string): Promise<void> => {
    source.write(text);
    await bytes.append("a", bytesOf(text), lease);
    await chunks.append([textChunk(text)]);
  };
  await write("1");
  const entries = bytes.read("a", "", new AbortController().signal)[Symbol.asyncIterator]();
  const others = runEventsStream({ runId: "a" }, { runs }).read("-1")[Symbol.asyncIterator]();
  const reader = await streams.resumeExistingStream("a");
  await readUntil(reader, "1");
  expect(await entries.next()).toMatchObject({ done: false });
  expect(await others.next()).toMatchObject({ done: false });
  const next = [readPart(reader), entries.next(), others.next()] as const;
  refuseReads(5);
  await write("2");
  source.close();
  expect(await next[0]).toEqual({ text: "2", error: null });
  expect(await next[1]).toMatchObject({ value: { chunk: bytesOf("2") } });
  expect(await next[2]).toMatchObject({ value: { chunk: textChunk("2") } });
  await Promise.all([entries.return?.(), others.return?.()]);
  await runs.close();
});

it("a reader of a store that stays away gets an error", async () => {
  const { store, refuseReads } = createFailingStore();
  const runs = createRunEvents({ store });
  const streams = createResumableStreamContext({ runs, leaseMs: 1_000 });
  await readAll(await streams.resumableStream("a", () => streamOf(["1"])));
  const reader = await streams.resumeExistingStream("a");
  refuseReads(Infinity);
  expect((await readPart(reader)).error).toMatchObject({ code: "store_unavailable" });
  await runs.close();
});

it("readers of a store that does not answer make one check of the producer at a time", async () => {
  const here = createRunEvents({ store: createMemoryStore() });
  let claims = 0;
  const there: RunEvents = {
    ...here,
    claim: () => {
      claims += 1;
      return new Promise(() => {});
    },
  };
  const { stream, write, close } = createTextSource();
  await createResumableStreamContext({ runs: here }).resumableStream("a", () => stream);
  write("1");
  const streams = createResumableStreamContext({ runs: there, leaseMs: 2_000 });
  const readers = await Promise.all(
    Array.from({ length: 10 }, () => streams.resumeExistingStream("a")),
  );
  await Promise.all(readers.map((reader) => readUntil(reader, "1")));
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  onTestFinished(() => void vi.useRealTimers());
  const rests = readers.map(readPart);
  await vi.advanceTimersByTimeAsync(20_000);
  expect(claims).toBe(1);
  vi.useRealTimers();
  close();
  expect(await Promise.all(rests)).toEqual(readers.map(() => ({ text: "", error: null })));
  await here.close();
});

it("a lease that no store takes is refused at once, and not tried by readers", () => {
  const runs = createRunEvents({ store: createMemoryStore() });
  for (const leaseMs of [0, 999, 1.5, Number.NaN, Infinity]) {
    for (const open of [
      () => createResumableStreamContext({ runs, leaseMs }),
      () => createRunEventsResumableStreamStore({ runs, leaseMs }),
      () => runEventsStream({ runId: "a" }, { runs, leaseMs }),
      () => createChats({ runs, leaseMs }),
      () => createThreads({ runs, leaseMs }),
    ])
      expect(open).toThrow(TypeError);
  }
});

it("other options that no work takes are refused at once, too", () => {
  const runs = createRunEvents({ store: createMemoryStore() });
  for (const mergeMs of [-1, 10_001, 1.5, Number.NaN]) {
    for (const open of [
      () => createResumableStreamContext({ runs, mergeMs }),
      () => createChats({ runs, mergeMs }),
      () => createThreads({ runs, mergeMs }),
    ])
      expect(open).toThrow(TypeError);
  }
  const describeError = "An error." as unknown as () => string;
  for (const open of [createChats, createThreads])
    expect(() => open({ runs, describeError })).toThrow(TypeError);
  for (const ms of [-1, Number.NaN]) {
    for (const open of [
      () => createRunEventsResumableStreamStore({ runs, defaultTtlMs: ms }),
      () => runEventsStream({ runId: "a" }, { runs, idleMs: ms }),
      () => runEventsStream({ runId: "a" }, { runs, firstChunkDeadlineMs: ms }),
    ])
      expect(open).toThrow(TypeError);
  }
});
