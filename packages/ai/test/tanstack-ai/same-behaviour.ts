import type { StreamDurability } from "@tanstack/ai";
import { describe, expect, it } from "vitest";
import { finishChunk, readRun, shown, startChunk, textChunk } from "./chunks.ts";

type Make = (
  source: Request | { readonly runId: string; readonly offset?: string | null },
) => StreamDurability;

type Open = (firstChunkDeadlineMs: number) => Promise<Make>;

const URL_OF_CHAT = "http://localhost/chat";

/**
 * Tests of `memoryStream` of TanStack AI, which it passes itself. This package has to pass the same.
 * @param open makes streams whose readers from the start wait so long for a run, in milliseconds
 */
export function sameBehaviour(name: string, open: Open): void {
  describe(`what memoryStream does: ${name}`, () => {
    testRequests(open);
    testReads(open);
    testLateRuns(open);
    testRefusals(open);
    testSnapshots(open);
  });
}

function testRequests(open: Open): void {
  it("the offset is that of the request: a header, or else a parameter", async () => {
    const make = await open(50);
    const runId = crypto.randomUUID();
    const [offset = ""] = await make({ runId }).append([textChunk("1")]);
    const headers = { "Last-Event-ID": offset };
    expect(make(new Request(URL_OF_CHAT)).resumeFrom()).toBeNull();
    expect(make(new Request(URL_OF_CHAT, { headers })).resumeFrom()).toBe(offset);
    const url = `${URL_OF_CHAT}?runId=${runId}&offset=-1`;
    expect(make(new Request(url)).resumeFrom()).toBe("-1");
    expect(make(new Request(url, { headers })).resumeFrom()).toBe(offset);
    expect(make({ runId }).resumeFrom()).toBeNull();
    expect(make({ runId, offset }).resumeFrom()).toBe(offset);
  });

  it("the run is that of the request: a header, or else a parameter, or that of the offset", async () => {
    const make = await open(50);
    const runId = `a/b ?é:${crypto.randomUUID()}`;
    const headers = { "X-Run-Id": encodeURIComponent(runId) };
    const producer = make(new Request(URL_OF_CHAT, { headers }));
    const [offset = ""] = await producer.append([textChunk("1"), textChunk("2")]);
    await producer.close();
    const named = new URL(URL_OF_CHAT);
    named.searchParams.set("runId", encodeURIComponent(runId));
    expect((await readRun(make(new Request(named)))).texts).toEqual(["1", "2"]);
    const resumed = make(new Request(URL_OF_CHAT, { headers: { "Last-Event-ID": offset } }));
    expect((await readRun(resumed, resumed.resumeFrom() ?? "")).texts).toEqual(["2"]);
  });

  it("a run id that is empty or has a line break is refused", async () => {
    const make = await open(50);
    for (const runId of ["", "a\n", "a\rb"]) expect(() => make({ runId })).toThrow(/runId|run id/);
  });
}

function testReads(open: Open): void {
  it("each chunk has an offset of its own, and a reader gets what comes after it", async () => {
    const make = await open(50);
    const runId = crypto.randomUUID();
    const producer = make({ runId });
    const offsets = [
      ...(await producer.append([textChunk("1")])),
      ...(await producer.append([])),
      ...(await producer.append([textChunk("2"), textChunk("3")])),
    ];
    await producer.close();
    expect(new Set(offsets).size).toBe(3);
    expect(offsets.map((offset) => offset.trim())).toEqual(offsets);
    const all = await readRun(make({ runId }));
    expect(all).toEqual({ texts: ["1", "2", "3"], offsets, error: null });
    const rests = await Promise.all(offsets.map((offset) => readRun(make({ runId }), offset)));
    expect(rests.map(({ texts }) => texts)).toEqual([["2", "3"], ["3"], []]);
    expect((await readRun(make({ runId }), "now")).texts).toEqual([]);
  });

  it("a reader follows the run until it is closed, and not only to the end of an answer", async () => {
    const make = await open(50);
    const runId = crypto.randomUUID();
    const producer = make({ runId });
    await producer.append([startChunk(runId), textChunk("1")]);
    const entries = make({ runId }).read("-1")[Symbol.asyncIterator]();
    const late = readRun(make({ runId }), "now");
    expect((await entries.next()).value).toMatchObject({ chunk: startChunk(runId) });
    expect((await entries.next()).value).toMatchObject({ chunk: textChunk("1") });
    await producer.append([finishChunk(runId)]);
    expect((await entries.next()).value).toMatchObject({ chunk: finishChunk(runId) });
    await producer.append([textChunk("2")]);
    expect((await entries.next()).value).toMatchObject({ chunk: textChunk("2") });
    await producer.close();
    await producer.close();
    expect(await entries.next()).toEqual({ done: true, value: undefined });
    // The late reader began at `now`, which may have been before or after any of these chunks.
    const { texts } = await late;
    expect([[], ["2"], ["RUN_FINISHED", "2"]]).toContainEqual(texts);
  });

  it("a run that is closed without a chunk ends its readers", async () => {
    const make = await open(50);
    const runId = crypto.randomUUID();
    await make({ runId }).close();
    expect(await readRun(make({ runId }))).toEqual({ texts: [], offsets: [], error: null });
  });

  it("an abort ends a reader without an error", async () => {
    const make = await open(50);
    const runId = crypto.randomUUID();
    const producer = make({ runId });
    await producer.append([textChunk("1")]);
    const leaving = new AbortController();
    const entries = make({ runId }).read("-1", leaving.signal)[Symbol.asyncIterator]();
    expect((await entries.next()).done).toBe(false);
    const next = entries.next();
    leaving.abort();
    expect(await next).toEqual({ done: true, value: undefined });
    await producer.close();
  });
}

function testLateRuns(open: Open): void {
  it.each(["-1", "now"])("a reader at %s may come before the producer", async (offset) => {
    const make = await open(50_000);
    const runId = crypto.randomUUID();
    const reading = readRun(make({ runId }), offset);
    const producer = make({ runId });
    await producer.append([textChunk("1")]);
    await producer.close();
    const { texts, error } = await reading;
    expect(error).toBeNull();
    expect(["1", ""]).toContain(texts.join());
  });

  it.each(["-1", "now"])(
    "a reader at %s of a run without a producer gets an error",
    async (offset) => {
      const make = await open(50);
      const { error } = await readRun(make({ runId: crypto.randomUUID() }), offset);
      expect(error).toBeInstanceOf(Error);
    },
  );
}

function testRefusals(open: Open): void {
  it("an offset of an unknown run, of another run or of another kind is refused", async () => {
    const make = await open(50);
    const runId = crypto.randomUUID();
    const [offset = ""] = await make({ runId }).append([textChunk("1")]);
    const other = crypto.randomUUID();
    await make({ runId: other }).append([textChunk("1")]);
    const unknown = crypto.randomUUID();
    const refused = [
      await readRun(make({ runId: other }), offset),
      await readRun(make({ runId: unknown }), offset.replace(runId, unknown)),
      await readRun(make({ runId }), "7"),
      await readRun(make({ runId }), offset.replace(/\d+$/, "x")),
    ];
    for (const { texts, error } of refused) {
      expect(texts).toEqual([]);
      expect(error).toBeInstanceOf(Error);
    }
  });
}

function testSnapshots(open: Open): void {
  it("a snapshot has what is there, of a live, a closed and an unknown run", async () => {
    const make = await open(50);
    const runId = crypto.randomUUID();
    expect(await make({ runId }).snapshot()).toEqual([]);
    const producer = make({ runId });
    const offsets = await producer.append([textChunk("1"), textChunk("2")]);
    const live = await make({ runId }).snapshot();
    expect(shown(live.map(({ chunk }) => chunk))).toEqual(["1", "2"]);
    expect(live.map(({ offset }) => offset)).toEqual(offsets);
    live.length = 0;
    await producer.close();
    expect(await make({ runId }).snapshot()).toHaveLength(2);
  });
}
