import type { MovedRun } from "./append.ts";

/** What is known of a run: its head, or that it is not there. */
type Known = MovedRun | null;

/** What the bells of watched runs have rung for. */
export interface Heads {
  /** Takes in what was seen of a run, and answers whether a bell has yet to ring for it. */
  see(runId: string, seen: Known): boolean;
  forget(runId: string): void;
}

/**
 * Remembers heads. One that was never seen is news; so is a later one, in the order of the store: by the run's ordinal,
 * then by its sequence. What was seen before by another way is not.
 */
export function createHeads(): Heads {
  const heads = new Map<string, Known>();
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

function isLater(seen: Known, known: Known): boolean {
  if (seen === null || known === null) return seen !== known;
  return seen.ordinal === known.ordinal
    ? seen.lastSequence > known.lastSequence
    : seen.ordinal > known.ordinal;
}
