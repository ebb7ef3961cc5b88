import { planBackoff } from "@tm/run-events-core/store";

/** The longest delay by default, and the longest that a server may ask for, in milliseconds. */
const MOST_MS = 30_000;

/**
 * The time to wait before the next attempt, in milliseconds. It is random up to a bound, so that many readers do not come back at
 * once. The bound doubles with each failure, from 0.5 s to `mostMs`. The result is never shorter than the server asked for, up to 30 s.
 * @param failures attempts since the last progress, from 1
 * @param askedMs the pause of `retry:` or `Retry-After`; 0 without one. An answer of another program may hold anything: what is not a
 * number counts as 0
 * @param random from 0 to 1
 * @param mostMs where the bound stops doubling
 */
export function planDelay(
  failures: number,
  askedMs: number,
  random: number,
  mostMs: number = MOST_MS,
): number {
  const delayMs = planBackoff({ firstMs: 500, mostMs, jitter: 1 }, failures, random);
  return Math.max(delayMs, Math.min(askedMs, MOST_MS) || 0);
}
