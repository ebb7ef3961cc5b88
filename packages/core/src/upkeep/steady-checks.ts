/** By how much the store's clock and this process' may drift apart between two checks: this, and a ten-thousandth of the time. */
const DRIFT_MS = 1_000;
const DRIFT_SHARE = 1e-4;
/** A gap that is shorter than this is never a disturbance: two thirds of the shortest lease are longer. */
const LEAST_GAP_MS = 500;

/** One check for expired runs, at its end. */
export interface Check {
  /** The time by the process' monotonic clock, in milliseconds. */
  readonly atMs: number;
  /** The time of the store's clock when it took a write; `null` if the check failed. */
  readonly storeMs: number | null;
  /** Whether it continues the check before, as for the next batch. The gap between them then does not count as the period of checks. */
  readonly continues: boolean;
}

/** The result of a process' checks so far. */
export interface SteadyChecks {
  readonly atMs: number;
  /** The period of checks: the last gap between two of them. `null` before the second one. */
  readonly gapMs: number | null;
  /** For how long nothing has disturbed the checks. `null` after a failed check. */
  readonly steadyMs: number | null;
  /** The last good check, by both clocks. */
  readonly sample: { readonly atMs: number; readonly storeMs: number } | null;
}

/**
 * Adds a check. A disturbance starts `steadyMs` again: a check that failed, a gap that was too long, a store's clock that jumped.
 *
 * A gap is too long above half of `confirmMs` and twice the gap before it: the process or its store was blocked. It counts for half of
 * `confirmMs` at most, so that a process that is blocked twice gives the workers more than the moment in between.
 * @see clause S23 in `STORE.md`
 */
export function addCheck(
  before: SteadyChecks | null,
  { atMs, storeMs, continues }: Check,
  confirmMs: number,
): SteadyChecks {
  if (before === null) {
    const sample = storeMs === null ? null : { atMs, storeMs };
    return { atMs, gapMs: null, steadyMs: sample === null ? null : 0, sample };
  }
  const passedMs = atMs - before.atMs;
  const gapMs = continues ? (before.gapMs ?? passedMs) : passedMs;
  if (storeMs === null) return { atMs, gapMs, steadyMs: null, sample: before.sample };
  const sample = { atMs, storeMs };
  const mostMs = Math.max(LEAST_GAP_MS, confirmMs / 2, 2 * (before.gapMs ?? 0));
  const isDisturbed =
    before.steadyMs === null || passedMs > mostMs || hasJumped(before.sample, sample);
  const steadyMs = isDisturbed ? 0 : before.steadyMs + Math.min(passedMs, confirmMs / 2);
  return { atMs, gapMs, steadyMs, sample };
}

/** Whether checks have been steady for so long that every live worker has had the time to renew. */
export function areSteady({ steadyMs }: SteadyChecks, confirmMs: number): boolean {
  return steadyMs !== null && steadyMs >= confirmMs;
}

/** Whether the store's clock has advanced by more or less than the process' clock, but for a drift. */
function hasJumped(from: SteadyChecks["sample"], to: NonNullable<SteadyChecks["sample"]>): boolean {
  if (from === null) return false;
  const passedMs = to.atMs - from.atMs;
  const jumpMs = to.storeMs - from.storeMs - passedMs;
  return Math.abs(jumpMs) > DRIFT_MS + passedMs * DRIFT_SHARE;
}
