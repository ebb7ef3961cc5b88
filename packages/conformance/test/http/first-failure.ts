import type { ConformanceCase } from "@tm/run-events-conformance";
import { expect, vi } from "vitest";

/** What has to be vitest's, for `vi.useFakeTimers`: all that the kit and a server in this process wait by. */
export const WAITS = {
  toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "performance"],
} as const;

/**
 * Runs the cases of one clause, or all of them, up to the first that fails; its message. What never comes is waited for in
 * vain: `WAITS` have to be vitest's, so that this takes no time.
 */
export async function firstFailure(
  all: readonly ConformanceCase[],
  clause?: string,
): Promise<string | null> {
  const cases = all.filter((one) => clause === undefined || one.clause === clause);
  expect(cases).not.toEqual([]);
  let failure: string | null = null;
  let isOver = false;
  async function runAll(): Promise<void> {
    for (const { run } of cases) {
      await run().catch((error: Error) => (failure = error.message));
      if (failure !== null) break;
    }
    isOver = true;
  }
  const running = runAll();
  while (!isOver) await vi.advanceTimersByTimeAsync(10);
  await running;
  return failure;
}
