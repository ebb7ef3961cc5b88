import { describe, expect, it } from "vitest";
import { createTextSource, readAll, readUntil, streamOf } from "../text-source.ts";

/** The calls that `resumable-stream` and this package have in common. */
export interface StreamCalls {
  resumableStream(
    streamId: string,
    makeStream: () => ReadableStream<string>,
    skipCharacters?: number,
  ): Promise<ReadableStream<string> | null>;
  createNewResumableStream(
    streamId: string,
    makeStream: () => ReadableStream<string>,
    skipCharacters?: number,
  ): Promise<ReadableStream<string> | null>;
  resumeExistingStream(
    streamId: string,
    skipCharacters?: number,
  ): Promise<ReadableStream<string> | null | undefined>;
  hasExistingStream(streamId: string): Promise<null | true | "DONE">;
}

const never = (): never => {
  throw new Error("Expected no second producer.");
};

/**
 * Tests of `resumable-stream`, which it passes itself. This package has to pass the same.
 * @param open makes calls that share no stream with those of another test
 */
export function sameBehaviour(name: string, open: () => Promise<StreamCalls>): void {
  describe(`what resumable-stream does: ${name}`, () => {
    testProducer(open);
    testReaders(open);
    testSkips(open);
    testEnds(open);
  });
}

function testProducer(open: () => Promise<StreamCalls>): void {
  it("the producer reads its own stream", async () => {
    const streams = await open();
    const made = await streams.resumableStream("a", () => streamOf(["1\n", "2\n", "3\n"]));
    expect(await readAll(made)).toBe("1\n2\n3\n");
  });

  it("the producer gets all of the text, with any skip", async () => {
    const streams = await open();
    expect(await readAll(await streams.resumableStream("a", () => streamOf(["12"]), 1))).toBe("12");
    expect(
      await readAll(await streams.createNewResumableStream("b", () => streamOf(["12"]), 1)),
    ).toBe("12");
  });

  it("a producer that stops reading its stream leaves the stream to others", async () => {
    const streams = await open();
    const { stream, write, close } = createTextSource();
    const made = await streams.resumableStream("a", () => stream);
    const other = await streams.resumableStream("a", never);
    write("1");
    await readUntil(other, "1");
    await made?.cancel();
    write("2");
    close();
    expect(await readAll(other)).toBe("2");
  });

  it("a stream that cannot be made rejects the call", async () => {
    const streams = await open();
    const cause = new Error("no model");
    const fail = (): never => {
      throw cause;
    };
    await expect(streams.createNewResumableStream("a", fail)).rejects.toBe(cause);
    await expect(streams.resumableStream("b", fail)).rejects.toBe(cause);
    const { stream } = createTextSource();
    stream.getReader();
    await expect(streams.resumableStream("c", () => stream)).rejects.toBeInstanceOf(TypeError);
  });

  it("a new stream takes the id of one that is done", async () => {
    const streams = await open();
    expect(await readAll(await streams.createNewResumableStream("a", () => streamOf(["1"])))).toBe(
      "1",
    );
    const { stream, write, close } = createTextSource();
    const made = await streams.createNewResumableStream("a", () => stream);
    write("2");
    const other = await streams.resumeExistingStream("a");
    close();
    expect(await Promise.all([readAll(made), readAll(other)])).toEqual(["2", "2"]);
  });
}

function testReaders(open: () => Promise<StreamCalls>): void {
  it("readers that come at different times all get the whole", async () => {
    const streams = await open();
    const { stream, write, close } = createTextSource();
    const readers = [await streams.resumableStream("a", () => stream)];
    for (const text of ["1\n", "2\n"]) {
      write(text);
      readers.push(await streams.resumableStream("a", never));
    }
    close();
    expect(await Promise.all(readers.map(readAll))).toEqual(["1\n2\n", "1\n2\n", "1\n2\n"]);
  });

  it.each([
    ["both", true, true],
    ["the producer", true, false],
    ["the other", false, true],
  ])("text comes while the stream goes on: to %s", async (_who, toProducer, toOther) => {
    const streams = await open();
    const { stream, write, close } = createTextSource();
    const made = await streams.resumableStream("a", () => stream);
    write("1\n");
    const other = await streams.resumableStream("a", never);
    if (toProducer) await readUntil(made, "1\n");
    if (toOther) await readUntil(other, "1\n");
    write("2\n");
    close();
    expect(await readAll(made)).toBe(toProducer ? "2\n" : "1\n2\n");
    expect(await readAll(other)).toBe(toOther ? "2\n" : "1\n2\n");
  });

  it("each id is a stream of its own", async () => {
    const streams = await open();
    const sources = [createTextSource(), createTextSource()] as const;
    const made = await Promise.all(
      sources.map(({ stream }, index) => streams.resumableStream(`s${index}`, () => stream)),
    );
    const others = await Promise.all(
      sources.map((_, index) => streams.resumableStream(`s${index}`, never)),
    );
    for (const [index, { write, close }] of sources.entries()) {
      write(`text ${index}`);
      close();
    }
    expect(await Promise.all([...made, ...others].map(readAll))).toEqual([
      "text 0",
      "text 1",
      "text 0",
      "text 1",
    ]);
  });
}

function testSkips(open: () => Promise<StreamCalls>): void {
  it.each([
    [0, "1\n2\n"],
    [2, "2\n"],
    [3, "\n"],
    [4, ""],
    [Number.NaN, "1\n2\n"],
  ])("a reader that has %s characters gets the rest", async (skip, rest) => {
    const streams = await open();
    const { stream, write, close } = createTextSource();
    const made = await streams.resumableStream("a", () => stream);
    write("1\n");
    write("2\n");
    await readUntil(made, "1\n2\n");
    const others = [
      await streams.resumableStream("a", never, skip),
      await streams.resumeExistingStream("a", skip),
    ];
    close();
    expect(await Promise.all(others.map(readAll))).toEqual([rest, rest]);
    expect(await readAll(made)).toBe("");
  });
}

function testEnds(open: () => Promise<StreamCalls>): void {
  it("a stream that is done is null, and is not made again", async () => {
    const streams = await open();
    expect(await readAll(await streams.resumableStream("a", () => streamOf(["1", "2"])))).toBe(
      "12",
    );
    expect(await streams.resumableStream("a", never)).toBeNull();
    expect(await streams.resumeExistingStream("a")).toBeNull();
  });

  it("a stream can be made, found and resumed by separate calls", async () => {
    const streams = await open();
    expect(await streams.hasExistingStream("a")).toBeNull();
    expect(await streams.resumeExistingStream("a")).toBeUndefined();
    const { stream, write, close } = createTextSource();
    const made = await streams.createNewResumableStream("a", () => stream);
    expect(await streams.hasExistingStream("a")).toBe(true);
    const other = await streams.resumeExistingStream("a");
    write("1\n");
    write("2\n");
    close();
    expect(await Promise.all([readAll(made), readAll(other)])).toEqual(["1\n2\n", "1\n2\n"]);
    expect(await streams.hasExistingStream("a")).toBe("DONE");
    expect(await streams.hasExistingStream("b")).toBeNull();
  });
}
