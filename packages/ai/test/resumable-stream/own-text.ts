import { type RunEvents, RunEventsError } from "@tm/run-events-core";
import { expect, it } from "vitest";
import type {
  ResumableStreamContext,
  ResumableStreamContextOptions,
} from "../../src/resumable-stream.ts";
import { createTextSource, readAll, readPart, readUntil, streamOf } from "../text-source.ts";

/** Opens the same streams in two processes, with the runs of the first. */
export type Open = (
  options?: Partial<ResumableStreamContextOptions>,
) => Promise<readonly [ResumableStreamContext, ResumableStreamContext, RunEvents]>;

/** Reads so many UTF-16 units, of which the last come from the log. */
async function readOwn(
  reader: ReadableStreamDefaultReader<string> | undefined,
  units: number,
): Promise<void> {
  for (let got = 0; got < units;) got += (await reader?.read())?.value?.length ?? units;
}

/** What becomes of a text on its way. */
export function testText(open: Open): void {
  it("texts that come quickly are one event", async () => {
    const keyPrefix = crypto.randomUUID();
    const [here, , runs] = await open({ keyPrefix, mergeMs: 10_000 });
    const tokens = Array.from({ length: 100 }, (_, index) => `token ${index} `);
    await readAll(await here.createNewResumableStream("a", () => streamOf(tokens)));
    const [run] = (await runs.list({ ownerId: keyPrefix })).runs;
    expect(run).toMatchObject({ lastSequence: 3, metadata: { streamId: "a" } });
  });

  it("a reader of its own stream that does not read for long gets the rest from the log", async () => {
    const [here] = await open();
    const texts = Array.from({ length: 30 }, (_, index) => String(index % 10).repeat(60_000));
    const made = await here.createNewResumableStream("a", () => streamOf(texts));
    expect((await readAll(await here.resumeExistingStream("a"))) === texts.join("")).toBe(true);
    expect((await readAll(made)) === texts.join("")).toBe(true);
  });

  it("a slow reader of its own stream gets no text of another that has the same id now", async () => {
    const [here] = await open();
    const textOf = (digit: string): readonly string[] =>
      Array.from({ length: 30 }, () => digit.repeat(60_000));
    const made = await here.createNewResumableStream("a", () => streamOf(textOf("1")));
    await readAll(await here.resumeExistingStream("a"));
    const next = await here.createNewResumableStream("a", () => streamOf(textOf("2")));
    expect((await readAll(next)) === textOf("2").join("")).toBe(true);
    const { text, error } = await readPart(made);
    expect(/^1+$/.test(text)).toBe(true);
    expect(error).toMatchObject({ code: "history_changed" });
  });

  it("a slow reader of its own stream may leave at any time", async () => {
    const [here] = await open();
    const { stream, write, close } = createTextSource();
    const made = await here.createNewResumableStream("a", () => stream);
    const texts = Array.from({ length: 30 }, () => "x".repeat(60_000));
    for (const text of texts) write(text);
    await readUntil(await here.resumeExistingStream("a"), texts.join(""));
    const reader = made?.getReader();
    await readOwn(reader, texts.join("").length);
    const next = reader?.read();
    await reader?.cancel();
    expect(await next).toEqual({ done: true, value: undefined });
    close();
    expect((await readAll(await here.resumeExistingStream("a"))) === texts.join("")).toBe(true);
  });

  it("the host is asked to stay until the stream has ended, even if it fails", async () => {
    const promises: Promise<unknown>[] = [];
    const [here] = await open({ waitUntil: (promise) => promises.push(promise) });
    const { stream, fail } = createTextSource();
    const made = await here.createNewResumableStream("a", () => stream);
    expect(promises).toHaveLength(1);
    fail(new Error("429"));
    await Promise.all(promises);
    expect(await here.hasExistingStream("a")).toBe("DONE");
    expect((await readPart(made)).error).not.toBeInstanceOf(RunEventsError);
  });
}
