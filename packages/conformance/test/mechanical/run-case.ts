import { setImmediate } from "node:timers/promises";
import { install } from "@sinonjs/fake-timers";
import type { ConformanceCase } from "@tm/run-events-conformance";
import { WAITS } from "../kills/on-fast-clock.ts";

/** The result of a case: `hung` counts as a failure. */
export type Verdict = "passed" | "failed" | "hung";

const TURN_MS = 10;
/** The fake time, in milliseconds, before which no case counts as hung. */
const FAKE_MS = 60_000;

/** The time of this process, in milliseconds, also where clocks are fake. */
export function realNow(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/**
 * Runs a case, at most for some time, by the real clock.
 * @param isFast whether it waits by a fake clock
 */
export async function runCase(
  { run }: ConformanceCase,
  limitMs: number,
  isFast: boolean,
): Promise<Verdict> {
  const clock = isFast ? install({ toFake: [...WAITS], shouldClearNativeTimers: true }) : null;
  const controller = new AbortController();
  const begunAt = realNow();
  let verdict: Verdict | null = null;
  let waitedMs = 0;

  async function turn(): Promise<void> {
    waitedMs += TURN_MS;
    await (clock === null ? setImmediate() : clock.tickAsync(TURN_MS));
  }

  try {
    void run({ signal: controller.signal }).then(
      () => (verdict ??= "passed"),
      () => (verdict ??= "failed"),
    );
    while (verdict === null) {
      await turn();
      const isLate = realNow() - begunAt > limitMs;
      if (!isLate || (clock !== null && waitedMs < FAKE_MS)) continue;
      verdict = "hung";
      controller.abort();
      for (let left = 0; left < 50; left++) await turn();
    }
    return verdict;
  } finally {
    clock?.uninstall();
  }
}
