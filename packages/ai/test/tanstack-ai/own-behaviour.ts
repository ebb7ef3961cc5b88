import { EventType } from "@tanstack/ai";
import { describe, expect, it } from "vitest";
import { runEventsStream } from "../../src/tanstack-ai.ts";
import type { Place } from "../stores.ts";
import { usePlace } from "../use-place.ts";
import { readRun, textChunk } from "./chunks.ts";
import { type Open, testResponses } from "./own-responses.ts";

/** Tests a durable stream, and its use by TanStack AI itself. */
export function ownBehaviour(name: string, create: () => Promise<Place>): void {
  describe(`what a durable stream does: ${name}`, () => {
    const place = usePlace(create);
    const open: Open = async (options) => {
      const runs = await place.open();
      const others = await place.open();
      const shared = { keyPrefix: crypto.randomUUID(), firstChunkDeadlineMs: 50_000, ...options };
      return [
        (source, more) => runEventsStream(source, { runs, ...shared, ...more }),
        (source, more) => runEventsStream(source, { runs: others, ...shared, ...more }),
        runs,
      ];
    };
    testProducers(open);
    testEnds(open);
    testResponses(open);
  });
}

function testProducers(open: Open): void {
  it("a run has one producer: a second one is refused, while it is live and after its end", async () => {
    const [here, there] = await open();
    const producer = here({ runId: "a" });
    await producer.append([textChunk("1")]);
    const second = there({ runId: "a" });
    await expect(second.append([textChunk("x")])).rejects.toMatchObject({ code: "claimed" });
    await expect(second.close()).rejects.toMatchObject({ code: "claimed" });
    await producer.append([textChunk("2")]);
    await producer.close();
    const late = there({ runId: "a" });
    await expect(late.append([textChunk("x")])).rejects.toMatchObject({ code: "run_finished" });
    expect((await readRun(there({ runId: "a" }))).texts).toEqual(["1", "2"]);
  });
}

function testEnds(open: Open): void {
  it("a cancel in another process reaches the producer and its readers", async () => {
    const [here, there] = await open();
    const abortController = new AbortController();
    const producer = here({ runId: "a" }, { abortController });
    await producer.append([textChunk("1")]);
    const reading = readRun(there({ runId: "a" }));
    const aborted = new Promise((resolve) =>
      abortController.signal.addEventListener("abort", resolve),
    );
    expect(await there({ runId: "a" }).cancel()).toBe(true);
    await aborted;
    await expect(producer.append([textChunk("2")])).rejects.toMatchObject({ code: "run_finished" });
    await producer.close();
    expect((await reading).error).toMatchObject({ details: { runStatus: "cancelled" } });
    expect(await there({ runId: "a" }).cancel()).toBe(true);
    expect(await there({ runId: "b" }).cancel()).toBeNull();
  });

  it("the controller does not abort at a good end", async () => {
    const [here, there] = await open();
    const abortController = new AbortController();
    const producer = here({ runId: "a" }, { abortController });
    await producer.append([textChunk("1")]);
    await producer.close();
    expect(await there({ runId: "a" }).cancel()).toBe(false);
    expect(abortController.signal.aborted).toBe(false);
  });

  it("a producer that ends without a close fails its run", async () => {
    const [here, there] = await open();
    // On a slow machine the append may already be too late.
    const append = here({ runId: "a" }, { idleMs: 50 }).append([textChunk("1")]);
    await append.catch(() => {});
    const { error } = await readRun(there({ runId: "a" }));
    expect(error).toMatchObject({ code: "run_finished", details: { runStatus: "failed" } });
  });

  it("a run that is closed after an error has failed, and its readers have the error as a chunk", async () => {
    const keyPrefix = crypto.randomUUID();
    const [here, there, runs] = await open({ keyPrefix });
    const producer = here({ runId: "a" });
    await producer.append([textChunk("1"), { type: EventType.RUN_ERROR, message: "429" }]);
    await producer.close();
    expect(await readRun(there({ runId: "a" }))).toMatchObject({
      texts: ["1", "RUN_ERROR"],
      error: null,
    });
    expect((await runs.list({ ownerId: keyPrefix })).runs).toMatchObject([{ runStatus: "failed" }]);
  });
}
