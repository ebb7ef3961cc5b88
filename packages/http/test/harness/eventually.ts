import { vi } from "vitest";

/** Bounds a hang, not the speed of the machine. */
const HANG_MS = 30_000;

/** Asks again and again until the assertion holds, and resolves with what it returns. */
export function eventually<Result>(assertion: () => Result | Promise<Result>): Promise<Result> {
  return vi.waitFor(assertion, { timeout: HANG_MS, interval: 5 });
}
