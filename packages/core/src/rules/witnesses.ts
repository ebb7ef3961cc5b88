import { digestOfText } from "./live-groups.ts";
import type { RunPosition } from "./run.ts";

/** The most witnesses of a cursor. */
export const MOST_WITNESSES = 10;

/**
 * The witnesses of a cursor: the newest live runs that its reader has, each as a digest of its id. A run stays live until it departs. So if
 * a witness is neither live nor has departed, the store has lost it: the store was restored from an older backup, or a standby that lagged
 * took over. A store loses what came last, and so it loses the newest run before any other. That is why a few witnesses are enough.
 */
export interface Witnesses {
  readonly found: readonly number[];
  /**
   * The witnesses that were neither live nor departed in the last answer. If one departed during that answer, its departure is in the next
   * answer.
   */
  readonly missing: readonly number[];
}

/** The witnesses of a reader that has nothing. */
export const NO_WITNESSES: Witnesses = { found: [], missing: [] };

/** The witnesses without those runs, which have departed. */
export function withoutDeparted(
  { found, missing }: Witnesses,
  runIds: readonly string[],
): Witnesses {
  const departed = new Set(runIds.map(digestOfText));
  const stays = (one: number): boolean => !departed.has(one);
  return { found: found.filter(stays), missing: missing.filter(stays) };
}

/**
 * Looks for the witnesses among the live runs. To be called without those that have departed.
 * @param live in the order of descending ordinals
 * @returns `null` if the store has lost a witness: it was missing before, and is missing again
 */
export function findWitnesses(
  { found, missing }: Witnesses,
  live: readonly RunPosition[],
): Witnesses | null {
  const left = new Set([...found, ...missing]);
  for (const { runId } of live) {
    if (left.size === 0) break;
    left.delete(digestOfText(runId));
  }
  if (missing.some((one) => left.has(one))) return null;
  return { found: [...found, ...missing].filter((one) => !left.has(one)), missing: [...left] };
}

/**
 * The witnesses of the next cursor: those that are missing, and the newest live runs that the reader has.
 * @param live in the order of descending ordinals
 * @param has whether the reader gets the run with this answer, or has it as it is now
 */
export function nextWitnesses(
  { found, missing }: Witnesses,
  live: readonly RunPosition[],
  has: (run: RunPosition) => boolean,
): Witnesses {
  const before = new Set(found);
  const next: number[] = [];
  for (const run of live) {
    if (next.length + missing.length >= MOST_WITNESSES) break;
    const digest = digestOfText(run.runId);
    // If the reader has an earlier state of a witness, the run stays a witness.
    if (has(run) || before.has(digest)) next.push(digest);
  }
  return { found: next, missing };
}

/** The witnesses of a reader that has the runs of both: the newest of each. If they are equal, nothing changes. */
export function mergeWitnesses(one: Witnesses, other: Witnesses): Witnesses {
  const [first, second] = [one, other].map(({ found, missing }) => [...found, ...missing]);
  const turns = Array.from({ length: MOST_WITNESSES }, (_, at) => [first?.[at], second?.[at]]);
  const all = new Set(turns.flat().filter((digest) => digest !== undefined));
  // One that is missing is missed again.
  return { found: [...all].slice(0, MOST_WITNESSES), missing: [] };
}
