import { setImmediate as nextTurn } from "node:timers/promises";
import { createMemoryStore, RunEventsError } from "@tm/run-events-core";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { openLate } from "../src/late-store.ts";
import type { OpenedStore } from "../src/opened-store.ts";

const REFUSED = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(() => void vi.useRealTimers());

/** A store that is being opened. The test ends the attempts, the oldest first. */
function createBench() {
  const attempts: PromiseWithResolvers<OpenedStore>[] = [];
  const released = vi.fn();
  const late = openLate(() => {
    const attempt = Promise.withResolvers<OpenedStore>();
    attempts.push(attempt);
    return attempt.promise;
  }, REFUSED);
  const opened = { store: createMemoryStore(), release: async () => void released() };
  async function pass(ms: number): Promise<void> {
    await vi.advanceTimersByTimeAsync(ms);
    await nextTurn();
  }
  return { attempts, released, late, opened, pass };
}

it("S20: a store that is away refuses each call, is tried every second, and takes calls once it is open", async () => {
  const { attempts, released, late, opened, pass } = createBench();
  const create = (): Promise<unknown> =>
    late.store.createRun({
      runId: "r",
      ownerId: "ada",
      topic: null,
      exclusive: false,
      metadata: "null",
      claim: null,
    });
  for (let attempt = 0; attempt < 3; attempt++) {
    await expect(create()).rejects.toMatchObject({ code: "store_unavailable", retryable: true });
    await expect(late.store.subscribe("r", () => {}).ready).rejects.toThrow(RunEventsError);
    await pass(1_000);
    expect(attempts.length).toBe(attempt + 1);
    attempts[attempt]?.reject(REFUSED);
    await pass(0);
  }
  await pass(1_000);
  attempts[3]?.resolve(opened);
  await late.opening;
  expect(await create()).toMatchObject({ outcome: "created" });
  expect(late.store.capabilities).toBe(opened.store.capabilities);
  await late.release();
  expect(released).toHaveBeenCalledOnce();
});

it("S18: a store that opens after the server has ended is released, and is not tried again", async () => {
  const { attempts, released, late, opened, pass } = createBench();
  await pass(1_000);
  await late.store.close();
  await late.release();
  expect(released).not.toHaveBeenCalled();
  attempts[0]?.resolve(opened);
  await late.opening;
  expect(released).toHaveBeenCalledOnce();
  await pass(10_000);
  expect([attempts.length, vi.getTimerCount()]).toEqual([1, 0]);
});

it("S20: a failure that waiting does not cure ends the attempts", async () => {
  const { attempts, late, pass } = createBench();
  const failed = expect(late.opening).rejects.toThrow("password authentication failed");
  await pass(1_000);
  attempts[0]?.reject(
    Object.assign(new Error("password authentication failed"), { code: "28P01" }),
  );
  await failed;
  await pass(10_000);
  expect(attempts.length).toBe(1);
});
