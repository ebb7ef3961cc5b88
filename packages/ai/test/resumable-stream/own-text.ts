import { type RunEvents, RunEventsError } from "@tm/run-events-core";
import { expect, it } from "vitest";
import type {
  ResumableStreamContext,
  ResumableStreamContextOptions,
} from "../../src/resumable-stream.ts";
import { createTextSource, readAll, readPart, streamOf } from "../text-source.ts";

/** Opens the same streams in two processes, with the runs of the first. */
export type Open = (
  options?: Partial<ResumableStreamContextOptions>,
) => Promise<readonly [ResumableStreamContext, ResumableStreamContext, RunEvents]>;

/** Tests how texts reach readers and the log. */
export function testText(open: Open): void {
  it("texts that come quickly are one event", async () => {
    const keyPrefix = crypto.randomUUID();
    const [here, , runs] = await open({ keyPrefix, mergeMs: 10_000 });
    const tokens = Array.from({ length: 100 }, (_, index) => `token ${index} `);
    await readAll(await here.createNewResumableStream("a", () => streamOf(tokens)));
    const [run] = (await runs.list({ ownerId: keyPrefix })).runs;
    expect(run).toMatchObject({ lastSequence: 3, metadata: { streamId: "a" } });
  });

  it("a reader of its own stream that does not read for long gets an error after what waits, and can resume with it", async () => {
    const [here] = await open();
    const texts = Array.from({ length: 30 }, (_, index) => String(index % 10).repeat(60_000));
    const made = await here.createNewResumableStream("a", () => streamOf(texts));
    expect((await readAll(await here.resumeExistingStream("a"))) === texts.join("")).toBe(true);
    const { text, error } = await readPart(made);
    expect(error).toMatchObject({ message: expect.stringContaining("Resume the stream") });
    expect(text.length).toBeGreaterThan(1_000_000);
    const rest = await readAll(await here.resumeExistingStream("a", text.length));
    expect(text + rest === texts.join("")).toBe(true);
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
