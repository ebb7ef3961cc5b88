import type { RunPosition } from "../rules/run.ts";

/** The heads that the subscriptions of runs have been notified of. */
export interface SeenHeads {
  /**
   * Records a run's position, `null` if the run does not exist.
   * @returns whether it is new, so that the run's subscriptions must be notified
   */
  see(runId: string, seen: RunPosition | null): boolean;
  /** Whether a position of the run was recorded. */
  has(runId: string): boolean;
  /** Forgets a run that has no subscriptions any more. */
  forget(runId: string): void;
}

/**
 * Remembers the heads that were seen. A head is new if none of its run was seen, or if it is later: by the run's ordinal, then by its sequence. A head
 * that was seen before is not new, and neither is the answer of a poll that a notification has overtaken.
 * @see clause S13 in `STORE.md`
 */
export function createSeenHeads(): SeenHeads {
  const heads = new Map<string, RunPosition | null>();
  return {
    see(runId, seen) {
      const known = heads.get(runId);
      if (known !== undefined && !isLater(seen, known)) return false;
      heads.set(runId, seen);
      return true;
    },
    has: (runId) => heads.has(runId),
    forget: (runId) => void heads.delete(runId),
  };
}

function isLater(seen: RunPosition | null, known: RunPosition | null): boolean {
  if (seen === null || known === null) return seen !== known;
  return seen.ordinal === known.ordinal
    ? seen.lastSequence > known.lastSequence
    : seen.ordinal > known.ordinal;
}
