import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { createRunEvents } from "../src/create-run-events.ts";
import type { RunEvents } from "../src/run-events.ts";
import { createMemoryStore } from "../src/store/memory.ts";
import type { RunEventStore } from "../src/store/store.ts";
import { createLossyStore } from "./lossy-store.ts";

const LEASE = { leaseMs: 60_000 } as const;
const ADA = { ownerId: "ada" } as const;

describe("start", () => {
  let store: { -readonly [Name in keyof RunEventStore]: RunEventStore[Name] };
  let runs: RunEvents;
  beforeEach(() => {
    store = { ...createMemoryStore() };
    runs = createRunEvents({ store });
    return () => runs.close();
  });

  it("W36: resolves when the run is claimed, and `done` is what the task returns", async () => {
    const gate = Promise.withResolvers<void>();
    const run = { ...ADA, ...LEASE, topic: "tea", metadata: { a: 1 }, worker: "w-1" };
    const { runId, done } = await runs.start(run, async (one) => {
      await one.emit("TOKEN", "a");
      await gate.promise;
      return one.lastSequence;
    });
    const snapshot = await runs.get(runId, ADA);
    expect(snapshot).toMatchObject({ topic: "tea", metadata: { a: 1 }, lease: { worker: "w-1" } });
    await expect(runs.claim(runId, { ...ADA, ...LEASE })).rejects.toMatchObject({
      code: "claimed",
    });
    gate.resolve();
    expect(await done).toBe(0);
    expect(await runs.get(runId, ADA)).toMatchObject({ runStatus: "completed", lease: null });
  });

  it("W36: a `done` that nothing awaits is no unhandled rejection, and rejects for who awaits it", async () => {
    const unhandled: unknown[] = [];
    const note = (reason: unknown): void => void unhandled.push(reason);
    process.on("unhandledRejection", note);
    onTestFinished(() => void process.off("unhandledRejection", note));
    const { runId, done } = await runs.start({ ...ADA, ...LEASE }, () => {
      throw new Error("out of tea");
    });
    for await (const _ of runs.tail(runId, ADA));
    // Node reports a rejection after its microtasks.
    await new Promise((resolve) => setImmediate(resolve));
    expect(unhandled).toEqual([]);
    await expect(done).rejects.toThrow("out of tea");
    expect(await runs.get(runId, ADA)).toMatchObject({ runStatus: "failed" });
  });

  it("W36: a run that exists is claimed; another worker's and a finished one are refused, and another owner's is another run", async () => {
    const { runId } = await runs.create(ADA);
    const start = async (part: object = {}): Promise<unknown> =>
      (await runs.start({ ...ADA, ...LEASE, runId, ...part }, () => 1)).done;
    const { fence, expiresAt } = await runs.claim(runId, { ...ADA, ...LEASE });
    await expect(start()).rejects.toMatchObject({ code: "claimed", details: { expiresAt } });
    expect(await start({ ownerId: "bob" })).toBe(1);
    await runs.release(runId, fence, ADA);
    expect(await start()).toBe(1);
    await expect(start()).rejects.toMatchObject({ code: "run_finished" });
  });

  it("W36: bad options are refused, and nothing is created", async () => {
    const start = (part: object): Promise<unknown> =>
      runs.start({ ...ADA, ...LEASE, ...part } as { ownerId: string; leaseMs: number }, () => 1);
    for (const part of [{ leaseMs: 1 }, { leaseMs: undefined }, { worker: "" }, { topic: "" }]) {
      await expect(start(part)).rejects.toMatchObject({ code: "invalid_request" });
    }
    await expect(start({ mergeMs: -1 })).rejects.toThrow(TypeError);
    expect((await runs.list(ADA)).runs).toEqual([]);
  });

  it("W36: closing waits for the task, whose run is then free for another worker", async () => {
    const begun = Promise.withResolvers<void>();
    const { runId, done } = await runs.start({ ...ADA, ...LEASE }, async (run) => {
      begun.resolve();
      await new Promise((resolve) => run.signal.addEventListener("abort", resolve));
      await run.append([{ eventType: "LAST" }]);
    });
    await begun.promise;
    const { close } = store;
    let atClose: unknown = null;
    store.close = async () => {
      atClose = await runs.get(runId, ADA);
      return close();
    };
    await runs.close();
    expect(atClose).toMatchObject({ lastSequence: 1, lease: null });
    await expect(done).rejects.toMatchObject({ code: "store_unavailable" });
  });

  it.each(["landed", "lost"] as const)(
    "S7, W36: a creation that %s, without an answer, is sent again, and gets one run and its lease",
    async (fate) => {
      const doubtful = createRunEvents({ store: createLossyStore([fate]) });
      onTestFinished(() => doubtful.close());
      const { runId, done } = await doubtful.start({ ...ADA, ...LEASE }, () => 7);
      expect(await done).toBe(7);
      const { runs: all } = await doubtful.list(ADA);
      expect(all.map((run) => [run.runId, run.runStatus])).toEqual([[runId, "completed"]]);
    },
  );
});
