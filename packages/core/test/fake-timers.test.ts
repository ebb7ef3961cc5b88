import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterEach, describe, expect, it, vi } from "vitest";
import { createMemoryStore } from "../src/store/memory.ts";
import { createAdasRuns } from "./adas-runs.ts";
import { ALL, useAll } from "./use-all.ts";

let release = (): void => {};

afterEach(() => release());

describe("a test that fakes time", () => {
  it("every call settles under all of vitest's fake timers, even calls of objects from before", async () => {
    const before = createAdasRuns({ store: createMemoryStore() });
    vi.useFakeTimers();
    release = () => void vi.useRealTimers();
    expect(await useAll(before)).toStrictEqual(ALL);
    expect(await useAll(createAdasRuns({ store: createMemoryStore() }))).toStrictEqual(ALL);
  });

  it("every call settles under the fakes that jest installs, microtasks and ticks included", async () => {
    // In another process: with faked ticks a vitest worker loses its messages, and its run never ends.
    const script = new URL("under-jest-fakes.ts", import.meta.url).pathname;
    const { stdout } = await promisify(execFile)(process.execPath, [script]);
    expect(JSON.parse(stdout)).toStrictEqual({ seen: ALL, left: 0 });
  });

  it("the faked time moves a worker's lease, and the memory store's clock with it", async () => {
    vi.useFakeTimers();
    release = () => void vi.useRealTimers();
    const runs = createAdasRuns({ store: createMemoryStore() });
    const { runId } = await runs.create();
    await runs.work(runId, { leaseMs: 3_000 }, async () => vi.advanceTimersByTimeAsync(60_000));
    expect(await runs.get(runId)).toMatchObject({ runStatus: "completed" });
    await runs.close();
    expect(vi.getTimerCount()).toBe(0);
  });

  it("no timer remains that was set before time was faked", async () => {
    const runs = createAdasRuns({ store: createMemoryStore() });
    const { runId } = await runs.create();
    const countTimers = (): number =>
      process.getActiveResourcesInfo().filter((one) => one === "Timeout").length;
    const held = countTimers();
    const next = runs.tail(runId)[Symbol.asyncIterator]().next();
    vi.useFakeTimers();
    release = () => void vi.useRealTimers();
    await runs.append(runId, [{ eventType: "RUN_COMPLETED" }]);
    await next;
    await runs.close();
    release();
    // A timer of an earlier test in this process may have ended meanwhile.
    expect(countTimers()).toBeLessThanOrEqual(held);
  });

  it("the faked date sets the clock of a memory store, even of one from before", async () => {
    const runs = createAdasRuns({ store: createMemoryStore() });
    vi.useFakeTimers({ now: Date.UTC(2026, 0, 2) });
    release = () => void vi.useRealTimers();
    const { runId, createdAt } = await runs.create();
    expect(createdAt).toBe("2026-01-02T00:00:00.000Z");
    await runs.claim(runId, { leaseMs: 1_000 });
    vi.setSystemTime(Date.UTC(2026, 0, 3));
    expect(await runs.reap({ confirmMs: 0 })).toStrictEqual([{ ownerId: "ada", runId }]);
    await runs.close();
  });
});
