import type { RunRecord } from "./run.ts";

/** The fields of a run that a list shows, except for its lease. A lost end of the log may be written again with the same sequence, at another time. */
export type ListedState = Pick<
  RunRecord,
  "runId" | "ordinal" | "runStatus" | "lastSequence" | "updatedAtMs"
>;

/** Digests are below this, so that the sum of two is exact. */
export const DIGEST_END: number = 2 ** 52;

/** A digest of the text, below `DIGEST_END`: cyrb53, cut to 52 bits. Two texts rarely have the same one. */
export function digestOfText(text: string): number {
  let high = 0xdeadbeef;
  let low = 0x41c6ce57;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    high = Math.imul(high ^ unit, 2_654_435_761);
    low = Math.imul(low ^ unit, 1_597_334_677);
  }
  high =
    Math.imul(high ^ (high >>> 16), 2_246_822_507) ^ Math.imul(low ^ (low >>> 13), 3_266_489_909);
  low =
    Math.imul(low ^ (low >>> 16), 2_246_822_507) ^ Math.imul(high ^ (high >>> 13), 3_266_489_909);
  return (high >>> 12) * 2 ** 32 + (low >>> 0);
}

/** A run's part of a list's version. */
export function digestOfRun(run: ListedState): number {
  const { runId, ordinal, runStatus, lastSequence, updatedAtMs } = run;
  return digestOfText(`${runId} ${ordinal} ${runStatus} ${lastSequence} ${updatedAtMs}`);
}

/**
 * Whether a list shows both in the same way. A lease may differ: it moves all the time. Times and sequences are compared for any difference:
 * after a loss they may be smaller than before.
 */
export function isSameState(one: ListedState, other: ListedState): boolean {
  return (
    one.ordinal === other.ordinal &&
    one.runStatus === other.runStatus &&
    one.lastSequence === other.lastSequence &&
    one.updatedAtMs === other.updatedAtMs
  );
}

/** A list's version as text: the sum of its digests. It is no proof: two lists may have the same version, but rarely do. */
export function encodeVersion(sum: number): string {
  return sum.toString(36);
}
