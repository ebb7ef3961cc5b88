import type { Connection } from "./connection.ts";

/**
 * What may come to pass with a run at some time: that its lease runs out, or that it has finished long ago. An index of such
 * entries is a sorted set, and in a cluster in another slot than the runs, so it only says where to look: the entry is there
 * before its lease or its end is, and its score is no later than the time that the run says. At whatever point a process
 * dies, there is an entry too many or one too early, never one too few. Whoever looks asks the run, and moves the entry to
 * its time or removes it.
 *
 * An entry is for one lease or one end, and so can be removed as soon as that is over, or cannot come true any more: whatever
 * comes after has an entry of its own.
 */
export interface DueEntry {
  readonly runId: string;
  /** Names the lease or the end beyond the run's id: the run's ordinal, and for a lease `/fence` behind it. */
  readonly mark: string;
}

/** Makes an entry; of one that is there already the earlier time stays. */
export async function addDue(
  { redis }: Connection,
  index: string,
  entry: DueEntry,
  atMs: string,
): Promise<void> {
  await redis.zadd(index, "LT", atMs, dueMember(entry));
}

/** Removes an entry that is over, in its own time: what stays behind is removed by whoever looks. */
export function dropDue({ redis }: Connection, index: string, entry: DueEntry): void {
  redis.zrem(index, dueMember(entry)).catch(() => {
    // An entry too many does no harm.
  });
}

/** How an entry is written in an index. The script of a claim also writes it. */
export function dueMember({ mark, runId }: DueEntry): string {
  return `${mark}:${runId}`;
}

/** Parses what `dueMember` wrote. */
export function parseDueMember(member: string): DueEntry {
  const colon = member.indexOf(":");
  return { mark: member.slice(0, colon), runId: member.slice(colon + 1) };
}
