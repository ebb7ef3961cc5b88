import { describe, expect, it } from "vitest";
import { createResumableStreamContext } from "../../src/resumable-stream.ts";
import type { Place } from "../stores.ts";
import { createTextSource, readAll, readPart, readUntil, streamOf } from "../text-source.ts";
import { usePlace } from "../use-place.ts";
import { type Open, testText } from "./own-text.ts";

const cutShort = (runStatus: string): unknown =>
  expect.objectContaining({
    code: "run_finished",
    details: expect.objectContaining({ runStatus }) as unknown,
  });

/** Tests what this package does on a store and `resumable-stream` does not. */
export function ownBehaviour(name: string, create: () => Promise<Place>): void {
  describe(`what a durable stream does: ${name}`, () => {
    const place = usePlace(create);
    const open: Open = async (options) => {
      const shared = { keyPrefix: crypto.randomUUID(), ...options };
      const runs = await place.open();
      return [
        createResumableStreamContext({ runs, ...shared }),
        createResumableStreamContext({ runs: await place.open(), ...shared }),
        runs,
      ];
    };
    testReplay(open);
    testFailures(open);
    testCancels(open);
    testElection(open);
    testOwners(open);
    testText(open);
  });
}

function testReplay(open: Open): void {
  it("a new stream with the id of another ends the readers of that one, or lets them read it whole", async () => {
    const [here, there] = await open();
    await readAll(await here.createNewResumableStream("a", () => streamOf(["old"])));
    const late = await there.resumeExistingStream("a");
    const made = await here.createNewResumableStream("a", () => streamOf(["new and longer"]));
    const { text, error } = await readPart(late);
    expect(["", "old", "new and longer"]).toContain(text);
    if (text === "") expect(error).toMatchObject({ code: "not_found" });
    expect(await readAll(made)).toBe("new and longer");
    expect(await readAll(await there.resumeExistingStream("a"))).toBe("new and longer");
  });

  it("a reader of a stream that is purged gets an error", async () => {
    const [here, there, runs] = await open();
    await readAll(await here.createNewResumableStream("a", () => streamOf(["1"])));
    const late = await there.resumeExistingStream("a");
    while ((await runs.purge({ finishedForMs: 0 })).length > 0);
    expect(await readPart(late)).toEqual({
      text: "",
      error: expect.objectContaining({ code: "not_found" }) as unknown,
    });
    expect(await there.resumeExistingStream("a")).toBeUndefined();
    expect(await there.hasExistingStream("a")).toBeNull();
  });
}

function testFailures(open: Open): void {
  it("a source that fails ends all readers with an error, early and late ones", async () => {
    const [here, there] = await open({ replayFinished: false });
    const { stream, write, fail } = createTextSource();
    const made = await here.createNewResumableStream("a", () => stream);
    write("1");
    const other = await there.resumeExistingStream("a");
    await readUntil(other, "1");
    const cause = new Error("429");
    fail(cause);
    expect(await readPart(made)).toEqual({ text: "1", error: cause });
    expect(await readPart(other)).toEqual({ text: "", error: cutShort("failed") });
    const late = await there.resumeExistingStream("a");
    expect(await readPart(late)).toEqual({ text: "1", error: cutShort("failed") });
    expect(await there.hasExistingStream("a")).toBe("DONE");
  });

  it("a source that gives bytes fails the stream, and is cancelled", async () => {
    const [here] = await open();
    const { promise: cancelled, resolve } = Promise.withResolvers<unknown>();
    const bytes = new ReadableStream({
      pull: (controller) => controller.enqueue(new Uint8Array(1)),
      cancel: resolve,
    });
    const made = await here.createNewResumableStream("a", () => bytes as ReadableStream<string>);
    const { error } = await readPart(made);
    expect(error).toBeInstanceOf(TypeError);
    expect(await cancelled).toBe(error);
  });
}

function testCancels(open: Open): void {
  it("a cancel in another process reaches the source, its signal and all readers", async () => {
    const [here, there] = await open();
    const { stream, write, cancelled } = createTextSource();
    const { promise: signalled, resolve } = Promise.withResolvers<unknown>();
    const made = await here.createNewResumableStream("a", (signal) => {
      signal.addEventListener("abort", () => resolve(signal.reason));
      return stream;
    });
    write("1");
    const other = await there.resumeExistingStream("a");
    await readUntil(other, "1");
    expect(await there.cancelExistingStream("a")).toBe(true);
    expect(await Promise.all([cancelled, signalled])).toEqual([
      cutShort("cancelled"),
      cutShort("cancelled"),
    ]);
    expect(await readPart(other)).toEqual({ text: "", error: cutShort("cancelled") });
    expect(await readPart(made)).toEqual({ text: "1", error: cutShort("cancelled") });
    expect(await there.cancelExistingStream("a")).toBe(true);
  });

  it("a source that just ends when its signal aborts does not pass for a whole one", async () => {
    const [here, there] = await open();
    const { stream, write, close } = createTextSource();
    const made = await here.createNewResumableStream("a", (signal) => {
      signal.addEventListener("abort", close);
      return stream;
    });
    write("1");
    await readUntil(made, "1");
    await there.cancelExistingStream("a");
    expect((await readPart(made)).error).toEqual(cutShort("cancelled"));
    expect((await readPart(await there.resumeExistingStream("a"))).error).toEqual(
      cutShort("cancelled"),
    );
  });

  it("a cancel that comes while a stream is made stops it, or finds none", async () => {
    const [here, there] = await open();
    for (let round = 0; round < 10; round += 1) {
      const id = `a${round}`;
      const { stream, write } = createTextSource();
      write("1");
      const [made, wasCancelled] = await Promise.allSettled([
        here.createNewResumableStream(id, () => stream),
        there.cancelExistingStream(id),
      ]);
      const cancelled = wasCancelled.status === "fulfilled" && wasCancelled.value;
      if (cancelled !== true) await there.cancelExistingStream(id);
      const error = made.status === "rejected" ? made.reason : (await readPart(made.value)).error;
      expect(error).toEqual(cutShort("cancelled"));
      expect((await readPart(await there.resumeExistingStream(id))).error).toEqual(
        cutShort("cancelled"),
      );
    }
  });

  it("a cancel of a stream that is done, or that does not exist, changes nothing", async () => {
    const [here, there] = await open();
    expect(await there.cancelExistingStream("a")).toBeNull();
    await readAll(await here.createNewResumableStream("a", () => streamOf(["1"])));
    expect(await there.cancelExistingStream("a")).toBe(false);
    expect(await readAll(await there.resumeExistingStream("a"))).toBe("1");
  });
}

function testElection(open: Open): void {
  it("of many calls in two processes one makes the stream, and all read it", async () => {
    const [here, there] = await open();
    let made = 0;
    const calls = Array.from({ length: 10 }, (_, index) =>
      (index % 2 === 0 ? here : there).resumableStream("a", () => {
        made += 1;
        return streamOf(["1", "2"]);
      }),
    );
    const texts = await Promise.all((await Promise.all(calls)).map(readAll));
    expect(texts).toEqual(texts.map(() => "12"));
    expect(made).toBe(1);
  });

  it("of many calls for a new stream one makes it, and the others are refused", async () => {
    const [here, there] = await open();
    await readAll(await here.createNewResumableStream("a", () => streamOf(["old"])));
    const { stream, write, close } = createTextSource();
    let made = 0;
    const calls = Array.from({ length: 10 }, (_, index) =>
      (index % 2 === 0 ? here : there).createNewResumableStream("a", () => {
        made += 1;
        return stream;
      }),
    );
    const results = await Promise.allSettled(calls);
    expect(made).toBe(1);
    const refusals = results.filter((result) => result.status === "rejected");
    expect(refusals).toHaveLength(9);
    for (const { reason } of refusals) expect(reason).toMatchObject({ code: "claimed" });
    write("new");
    close();
    expect(await readAll(await there.resumeExistingStream("a"))).toBe("new");
  });
}

function testOwners(open: Open): void {
  it("an owner with the name of the prefix is not the one owner of all streams", async () => {
    const keyPrefix = crypto.randomUUID();
    const [all] = await open({ keyPrefix });
    const [one] = await open({ keyPrefix, ownerId: keyPrefix });
    await readAll(await all.createNewResumableStream("a", () => streamOf(["of all"])));
    expect(await one.resumeExistingStream("a")).toBeUndefined();
    expect(await readAll(await one.resumableStream("a", () => streamOf(["of one"])))).toBe(
      "of one",
    );
    expect(await readAll(await all.resumeExistingStream("a"))).toBe("of all");
  });

  it("a prefix that can name no owner is refused", async () => {
    for (const keyPrefix of ["", "a\u0000", "\uD800"])
      await expect(open({ keyPrefix })).rejects.toBeInstanceOf(TypeError);
  });

  it("an owner that is undefined is a mistake, and not the owner of all streams", async () => {
    await expect(
      open({ ownerId: undefined } as unknown as { ownerId: string }),
    ).rejects.toBeInstanceOf(TypeError);
  });
}
