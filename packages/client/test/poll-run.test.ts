import { setImmediate } from "node:timers/promises";
import { install } from "@sinonjs/fake-timers";
import { expect, it, onTestFinished } from "vitest";
import type { Attempt, Page } from "../src/follow/attempt.ts";
import { pollRun } from "../src/follow/poll-run.ts";

const TURNS = 50;
const [FIRST, SECOND] = [1, 2].map((sequence) => ({
  runId: "a",
  sequence,
  eventType: "TOKEN",
  payload: null,
  phase: null,
  createdAt: "2026-01-01T00:00:00.000Z",
}));

it.each([
  ["is empty", []],
  ["is an old one of a cache", [FIRST, SECOND]],
])("W16: a page that %s and has `hasMore` is not asked for again at once", async (_, old) => {
  // The clock does not move, so a pause does not end.
  const clock = install({
    toFake: ["setTimeout", "clearTimeout"],
    shouldClearNativeTimers: true,
  });
  onTestFinished(() => clock.uninstall());
  const leaving = new AbortController();
  let reads = 0;
  const attempt: Attempt = {
    signal: leaving.signal,
    cursor: () => 2,
    heartbeatMs: undefined,
    update() {},
    setStatus() {},
    ready: async (arrived) => [...arrived],
    async readPage(): Promise<Page> {
      reads += 1;
      await setImmediate();
      return {
        events: old,
        hasMore: true,
        lastSequence: 9,
        runStatus: "running",
        currentPhase: null,
      } as Page;
    },
    openStream: () => Promise.reject(new TypeError("Expected no stream.")),
    expect() {},
    giveUp() {},
    onRetry() {},
    onSeen() {},
  };
  const next = pollRun(attempt, true, Infinity).next();
  for (let turn = 0; turn < TURNS; turn++) await setImmediate();
  expect(reads).toBe(1);
  leaving.abort(new Error("left"));
  await expect(next).rejects.toThrow("left");
});
