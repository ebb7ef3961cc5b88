import type { LivePosition } from "./run.ts";

/** How many groups the live runs of an owner are in, by their ordinals. */
export const LIVE_GROUPS = 256;

/** Digests are below this: 40 bits. */
export const DIGEST_END: number = 2 ** 40;

/** The digests of the groups that a reader has: a group without a live run has none. */
export type GroupDigests = ReadonlyMap<number, number>;

/** The live runs of one group, as they are now. */
export interface LiveGroup {
  readonly group: number;
  readonly digest: number;
  readonly runs: readonly LivePosition[];
}

/** Which of an owner's live runs a reader has, and which not. */
export interface LivePlan {
  /** The groups in which a run has changed, was added or has gone, from the group `first` on, around. */
  readonly changed: readonly LiveGroup[];
  /** The groups whose digests are those that the reader has: it has these runs as they are. */
  readonly same: readonly LiveGroup[];
}

/** The group of a run while it is live. */
export function groupOf({ ordinal }: Pick<LivePosition, "ordinal">): number {
  return ordinal % LIVE_GROUPS;
}

/**
 * Compares live runs with what a reader has. A cursor cannot hold thousands of positions, so it holds a digest for each group of
 * runs. If a digest differs, the whole group is sent. An owner with few live runs has one in each group.
 *
 * No clock, no transaction number and no trace in the database decides what has changed. So an append writes nothing for it. A log that
 * has lost its end counts as changed, even if it has as many events again.
 * @param known what the reader has
 * @param first the group to begin with, so that groups which always change do not keep the others waiting
 */
export function planLive(
  known: GroupDigests,
  positions: readonly LivePosition[],
  first: number,
): LivePlan {
  const groups = Map.groupBy(positions, groupOf);
  const same: LiveGroup[] = [];
  const changed: LiveGroup[] = [];
  for (const [group, runs] of groups) {
    const digest = digestOf(runs);
    (known.get(group) === digest ? same : changed).push({ group, digest, runs });
  }
  const distance = ({ group }: LiveGroup): number => (group - first + LIVE_GROUPS) % LIVE_GROUPS;
  return { changed: changed.toSorted((a, b) => distance(a) - distance(b)), same };
}

/** The digest of a group: the same for the same runs at the same sequences and times, in any order. */
function digestOf(runs: readonly LivePosition[]): number {
  return addToDigest(0, runs);
}

/** The digest of these runs and of those that have the first digest. */
export function addToDigest(digest: number, runs: readonly LivePosition[]): number {
  return runs.reduce((sum, run) => (sum + digestOfRun(run)) % DIGEST_END, digest);
}

function digestOfRun({ ordinal, lastSequence, updatedAtMs }: LivePosition): number {
  return mix([ordinal, lastSequence, updatedAtMs].flatMap((part) => [part, part / 2 ** 32]));
}

/** A number below `DIGEST_END` that any other text mostly does not have. */
export function digestOfText(text: string): number {
  return mix(Array.from(text, (character) => character.codePointAt(0) ?? 0));
}

/** Mixes numbers, of which the last 32 bits count, as cyrb53 does: two halves that are multiplied, and then mixed into each other. */
function mix(parts: readonly number[]): number {
  let high = 0xdeadbeef;
  let low = 0x41c6ce57;
  for (const part of parts) {
    high = Math.imul(high ^ part, 2_654_435_761);
    low = Math.imul(low ^ part, 1_597_334_677);
    high ^= high >>> 15;
    low ^= low >>> 13;
  }
  high =
    Math.imul(high ^ (high >>> 16), 2_246_822_507) ^ Math.imul(low ^ (low >>> 13), 3_266_489_909);
  low =
    Math.imul(low ^ (low >>> 16), 2_246_822_507) ^ Math.imul(high ^ (high >>> 13), 3_266_489_909);
  return (high & 0xff) * 2 ** 32 + (low >>> 0);
}
