/** The bounds of the pauses between attempts. */
export interface Backoff {
  /** The pause after the first failure, in milliseconds. */
  readonly firstMs: number;
  /** The longest pause, in milliseconds. */
  readonly mostMs: number;
  /** How much of a pause is left to chance, from 0 (nothing) to 1 (all of it), so that many that failed at once come back spread out. */
  readonly jitter: number;
}

/**
 * How long to wait before the next attempt, in milliseconds: it doubles with each failure up to `mostMs`, and the part that is left
 * to chance is taken off it.
 * @param failures in a row so far, from 1
 * @param random from 0 to 1
 */
export function planBackoff(
  { firstMs, mostMs, jitter }: Backoff,
  failures: number,
  random: number,
): number {
  return Math.min(firstMs * 2 ** (failures - 1), mostMs) * (1 - jitter + jitter * random);
}
