import type { RunEvents } from "@tm/run-events-core";
import {
  createResumableAssistantStreamResponse,
  createResumableStreamContext,
  createResumeAssistantStreamResponse,
  type ResumableStreamStore,
} from "assistant-stream/resumable";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import {
  createRunEventsResumableStreamStore,
  type RunEventsResumableStreamStoreOptions,
} from "../../src/assistant-ui.ts";
import type { Place } from "../stores.ts";
import { createTextSource, readAll, readPart } from "../text-source.ts";
import { usePlace } from "../use-place.ts";
import { acquireLease, bytesOf, readStore } from "./read-store.ts";

type Open = (
  options?: Partial<RunEventsResumableStreamStoreOptions>,
) => Promise<readonly [ResumableStreamStore, ResumableStreamStore, RunEvents]>;

/** Tests a durable store, and its use by `assistant-stream` itself. */
export function ownBehaviour(name: string, create: () => Promise<Place>): void {
  describe(`what a durable store does: ${name}`, () => {
    const place = usePlace(create);
    const open: Open = async (options) => {
      const shared = { keyPrefix: crypto.randomUUID(), ...options };
      const runs = await place.open();
      return [
        createRunEventsResumableStreamStore({ runs, ...shared }),
        createRunEventsResumableStreamStore({ runs: await place.open(), ...shared }),
        runs,
      ];
    };
    testProcesses(open);
    testEnds(open);
    testLives(open);
    testContexts(open);
  });
}

function testProcesses(open: Open): void {
  it("of many callers in two processes one is the producer", async () => {
    const [here, there] = await open();
    const calls = Array.from({ length: 10 }, (_, index) =>
      (index % 2 === 0 ? here : there).acquire("a"),
    );
    const roles = await Promise.all(calls);
    expect(roles.filter((role) => role === "producer")).toHaveLength(1);
    await there.finalize("a", "done");
  });
}

function testEnds(open: Open): void {
  it("a stream that is deleted is missing for its readers, and has no end", async () => {
    const [here, there] = await open();
    const lease = await acquireLease(here, "a");
    await here.append("a", bytesOf("1"), lease);
    const entries = there.read("a", "", new AbortController().signal)[Symbol.asyncIterator]();
    expect((await entries.next()).done).toBe(false);
    const next = expect(entries.next()).rejects.toMatchObject({ code: "missing" });
    await there.delete("a");
    await next;
  });

  it("a cancel of its run ends a stream for its producer and its readers", async () => {
    const keyPrefix = crypto.randomUUID();
    const [here, there, runs] = await open({ keyPrefix });
    const lease = await acquireLease(here, "a");
    const reading = readStore(there, "a");
    const [run] = (await runs.list({ ownerId: keyPrefix })).runs;
    await runs.cancel(run?.runId ?? "", { ownerId: keyPrefix });
    expect((await reading).error).toMatchObject({ details: { runStatus: "cancelled" } });
    await expect(here.append("a", bytesOf("1"), lease)).rejects.toMatchObject({
      name: "ResumableStreamError",
    });
    expect(await here.finalize("a", "done", undefined, lease)).toBe(false);
    expect(await there.status("a")).toBe("error");
  });

  it("a message of any length is the error of the readers, as much of it as fits", async () => {
    const [here] = await open();
    await acquireLease(here, "a");
    const message = "\u0000".repeat(300_000);
    expect(await here.finalize("a", "error", message)).toBe(true);
    const { error } = await readStore(here, "a");
    const got = error instanceof Error ? error.message : "";
    expect(got.length).toBeGreaterThan(40_000);
    expect(message.startsWith(got)).toBe(true);
  });
}

function testLives(open: Open): void {
  it("a stream that has ended is missing after its time to live, and its id is free", async () => {
    const [here, there] = await open({ defaultTtlMs: 50 });
    const old = await acquireLease(here, "a", { ttlMs: 600_000 });
    expect(await here.finalize("a", "done", undefined, old)).toBe(true);
    expect(await there.acquire("a")).toBe("consumer");
    await acquireLease(here, "b");
    await here.finalize("b", "done");
    await expect.poll(() => there.status("b")).toBe("missing");
    expect((await readStore(there, "b")).error).toMatchObject({ code: "missing" });
    const lease = await acquireLease(there, "b", { ttlMs: 600_000 });
    expect(await there.finalize("b", "done", undefined, lease)).toBe(true);
    expect(await here.status("a")).toBe("done");
  });
}

function textOf(
  stream: ReadableStream<Uint8Array> | null | undefined,
): ReadableStream<string> | undefined {
  return (stream as ReadableStream<Uint8Array<ArrayBuffer>> | null)?.pipeThrough(
    new TextDecoderStream(),
  );
}

function testContexts(open: Open): void {
  it("a context of the library runs, resumes and deletes a stream, in two processes", async () => {
    const [here, there] = await open();
    const [producer, consumer] = [here, there].map((store) =>
      createResumableStreamContext({ store }),
    );
    const { stream, write, close } = createTextSource();
    const made = await producer?.run("a", () => stream.pipeThrough(new TextEncoderStream()));
    write("é");
    const resumed = await consumer?.run("a", () => expect.unreachable());
    write("!");
    close();
    const late = await producer?.requireResume("a");
    const all = [made, resumed, late];
    const texts = all.map((one) => readAll(textOf(one)));
    expect(await Promise.all(texts)).toEqual(all.map(() => "é!"));
    await consumer?.delete("a");
    expect(await producer?.resume("a")).toBeNull();
    await expect(producer?.requireResume("a")).rejects.toMatchObject({ code: "missing" });
  });

  it("a source that fails ends all readers with its error", async () => {
    // The library reports that it cannot cancel a source that has failed.
    const report = vi.spyOn(console, "error").mockImplementation(() => {});
    onTestFinished(() => report.mockRestore());
    const [here, there] = await open();
    const { stream, write, fail } = createTextSource();
    const context = createResumableStreamContext({ store: here });
    const made = await context.run("a", () => stream.pipeThrough(new TextEncoderStream()));
    write("1");
    const resumed = await createResumableStreamContext({ store: there }).resume("a");
    const reads = [made, resumed].map((one) => readPart(textOf(one)));
    fail(new Error("429"));
    for (const { error } of await Promise.all(reads))
      expect(error).toMatchObject({ message: "429" });
  });

  it("an answer of assistant-stream is resumed as the same response", async () => {
    const [here, there] = await open();
    const made = await createResumableAssistantStreamResponse({
      context: createResumableStreamContext({ store: here }),
      streamId: "a",
      callback: (controller) => {
        controller.appendText("Tea is ");
        controller.appendText("a leaf.");
      },
    });
    const resumed = await createResumeAssistantStreamResponse({
      context: createResumableStreamContext({ store: there }),
      streamId: "a",
    });
    expect([...resumed.headers]).toEqual([...made.headers]);
    const text = await resumed.text();
    expect(text).toBe(await made.text());
    expect(text).toContain("a leaf.");
  });
}
