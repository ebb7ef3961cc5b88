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
  const { store } = late;
  const calls = [
    () => store.append([]),
    () => store.change([]),
    () => store.read([]),
    () => store.list({ due: "finished", forMs: 0, limit: 1 }),
    () => store.probe(),
  ];
  for (let attempt = 0; attempt < 3; attempt++) {
    for (const call of calls)
      await expect(call()).rejects.toMatchObject({ code: "store_unavailable", retryable: true });
    const { ready } = store.subscribe({ ownerId: "ada", runId: "r" }, () => {});
    await expect(ready).rejects.toThrow(RunEventsError);
    await pass(1_000);
    expect(attempts.length).toBe(attempt + 1);
    attempts[attempt]?.reject(REFUSED);
    await pass(0);
  }
  await pass(1_000);
  attempts[3]?.resolve(opened);
  await late.opening;
  for (const call of calls) await call();
  expect(store.capabilities).toBe(opened.store.capabilities);
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
