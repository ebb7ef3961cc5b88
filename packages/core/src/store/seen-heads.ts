import type { RunRecord } from "../rules/run.ts";

/** What distinguishes one state of a run's log from the next: every commit on a run moves its sequence. */
export type RunPosition = Pick<RunRecord, "runId" | "ordinal" | "lastSequence">;

/** What the watches of runs have been notified of. */
export interface SeenHeads {
  /** Takes in what was seen of a run, `null` if it is not there. @returns whether it is news, so that its watches are to be notified */
  see(runId: string, seen: RunPosition | null): boolean;
  forget(runId: string): void;
}

/**
 * Remembers heads. One that was never seen is news. So is a later one, in the order of the store: by the run's ordinal, then by its
 * sequence. What was seen before by another way is not, nor is a look's answer that a notification has overtaken.
 * @see S13, S14
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
    forget: (runId) => void heads.delete(runId),
  };
}

function isLater(seen: RunPosition | null, known: RunPosition | null): boolean {
  if (seen === null || known === null) return seen !== known;
  return seen.ordinal === known.ordinal
    ? seen.lastSequence > known.lastSequence
    : seen.ordinal > known.ordinal;
}
