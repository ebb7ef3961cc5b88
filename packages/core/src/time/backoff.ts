/** The bounds of the pauses between attempts. */
export interface Backoff {
  /** The pause after the first failure, in milliseconds. */
  readonly firstMs: number;
  /** The longest pause, in milliseconds. */
  readonly mostMs: number;
  /** The random share of a pause, from 0 to 1, so that callers that failed together come back spread out. */
  readonly jitter: number;
}

/**
 * The time to wait before the next attempt, in milliseconds. The pause doubles with each failure up to `mostMs`. Then a random share of
 * it is taken off, up to `jitter`.
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
