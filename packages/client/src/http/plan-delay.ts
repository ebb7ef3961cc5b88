import { planBackoff } from "@tm/run-events-core/store";

/** The longest delay by default, and the longest that a server may ask for, in milliseconds. */
const MOST_MS = 30_000;

/**
 * How long to wait before the next attempt, in milliseconds: anything up to a bound that doubles with each attempt that
 * brought nothing, from 0.5 s to 30 s, but never less than the server asked for, up to the same 30 s. So many readers that lost one
 * server at once come back spread out.
 * @param failures attempts since the last progress, from 1
 * @param askedMs what `retry:` or `Retry-After` said; 0 if nothing
 * @param random from 0 to 1
 * @param mostMs where the bound stops doubling. Default 30,000
 */
export function planDelay(
  failures: number,
  askedMs: number,
  random: number,
  mostMs: number = MOST_MS,
): number {
  const delayMs = planBackoff({ firstMs: 500, mostMs, jitter: 1 }, failures, random);
  return Math.max(delayMs, Math.min(askedMs, MOST_MS));
}
