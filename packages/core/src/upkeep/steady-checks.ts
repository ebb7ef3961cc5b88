/** By how much the store's clock and this process' may drift apart between two looks: this, and a ten-thousandth of the time. */
const DRIFT_MS = 1_000;
const DRIFT_SHARE = 1e-4;
/** A gap that is shorter than this is never a disturbance: two thirds of the shortest lease are longer. */
const LEAST_GAP_MS = 500;

/** One look for expired runs, when it was over. */
export interface Look {
  /** By the process' monotonic clock. */
  readonly atMs: number;
  /** What the store's clock said when it took a write; `null` if the look failed. */
  readonly storeMs: number | null;
  /** Whether it continues the look before, as for the next batch: the gap between them says nothing about how often looks come. */
  readonly goesOn: boolean;
}

/** What one process knows from its looks so far. */
export interface SteadyChecks {
  readonly atMs: number;
  /** How often looks come: the last gap between two of them. `null` before the second one. */
  readonly gapMs: number | null;
  /** For how long nothing has disturbed the looks. `null` after a failed look. */
  readonly steadyMs: number | null;
  /** The last good look, by both clocks. */
  readonly sample: { readonly atMs: number; readonly storeMs: number } | null;
}

/**
 * Takes in a look. A disturbance starts `steadyMs` again: a look that failed, a gap that was too long, a store's clock that jumped.
 *
 * A gap is too long above half of `confirmMs` and twice the gap before it: the process or its store was blocked. It counts for half of
 * `confirmMs` at most, so that a process that is blocked twice gives the workers more than the moment in between.
 * @see S23
 */
export function takeLook(
  before: SteadyChecks | null,
  { atMs, storeMs, goesOn }: Look,
  confirmMs: number,
): SteadyChecks {
  if (before === null) {
    const sample = storeMs === null ? null : { atMs, storeMs };
    return { atMs, gapMs: null, steadyMs: sample === null ? null : 0, sample };
  }
  const passedMs = atMs - before.atMs;
  const gapMs = goesOn ? (before.gapMs ?? passedMs) : passedMs;
  if (storeMs === null) return { atMs, gapMs, steadyMs: null, sample: before.sample };
  const sample = { atMs, storeMs };
  const mostMs = Math.max(LEAST_GAP_MS, confirmMs / 2, 2 * (before.gapMs ?? 0));
  const isSteady = before.steadyMs !== null && passedMs <= mostMs && !hasJumped(before, sample);
  const steadyMs = isSteady ? before.steadyMs + Math.min(passedMs, confirmMs / 2) : 0;
  return { atMs, gapMs, steadyMs, sample };
}

/** Whether looks have been steady for so long that every worker that lives has had the time to renew. */
export function areSteady({ steadyMs }: SteadyChecks, confirmMs: number): boolean {
  return steadyMs !== null && steadyMs >= confirmMs;
}

/** Whether the store's clock went on by another time than the process' did. */
function hasJumped(
  { sample: from }: SteadyChecks,
  to: NonNullable<SteadyChecks["sample"]>,
): boolean {
  if (from === null) return false;
  const passedMs = to.atMs - from.atMs;
  const differenceMs = to.storeMs - from.storeMs - passedMs;
  return Math.abs(differenceMs) > DRIFT_MS + passedMs * DRIFT_SHARE;
}
