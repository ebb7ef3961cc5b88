/** What one process has seen of the runs whose lease has run out: its last look, and how long each run has been watched. */
export interface Suspects {
  /** When the last look began, by the process' monotonic clock. */
  readonly atMs: number;
  /** For how long each of its runs has been found in every look, in milliseconds. */
  readonly watchedMs: ReadonlyMap<string, number>;
}

/**
 * Takes in a good look: one in which the store found the expired runs and took a write. A run counts from the first look that finds
 * it, and starts again if a look does not find it: its worker has renewed.
 *
 * The time between two looks counts for half of `confirmMs` at most. A process that stood still in between saw nothing of it, and its
 * workers may have had no time at all.
 * @param before what the looks before have seen; `null` if there was none, or the last one failed
 * @see S23
 */
export function lookAgain(
  before: Suspects | null,
  expired: readonly string[],
  atMs: number,
  confirmMs: number,
): Suspects {
  const passedMs = before === null ? 0 : Math.min(atMs - before.atMs, confirmMs / 2);
  const watchedMs = new Map<string, number>();
  for (const runId of expired) {
    const watched = before?.watchedMs.get(runId);
    watchedMs.set(runId, watched === undefined ? 0 : watched + passedMs);
  }
  return { atMs, watchedMs };
}

/** The runs that have been watched for long enough to end, in the order of the look. */
export function confirmed({ watchedMs }: Suspects, confirmMs: number): readonly string[] {
  return [...watchedMs].filter(([, watched]) => watched >= confirmMs).map(([runId]) => runId);
}
