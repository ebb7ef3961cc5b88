import type { Connection } from "./connection.ts";

/**
 * What may become due for a run: its lease may expire, or its end may be long ago. An index of such entries is a sorted set.
 * In a cluster the index is in another slot than the runs, so an entry is only a candidate: a reader of the index checks the run, and
 * moves the entry to its time or removes it. An entry is made before its lease or its end, and its score is no later than the
 * time in the run. So wherever a process dies, the index has an entry too many or too early, but misses none.
 *
 * An entry is for one lease or one end. So it can be removed as soon as that is over, or cannot become due any more: the next
 * lease or end has its own entry.
 */
export interface DueEntry {
  readonly runId: string;
  /** Names the lease or the end beyond the run's id: the run's ordinal, and for a lease `/fence` after it. */
  readonly mark: string;
}

/** Adds an entry. An existing one keeps the earlier time. */
export async function addDue(
  { redis }: Connection,
  index: string,
  entry: DueEntry,
  atMs: string,
): Promise<void> {
  await redis.zadd(index, "LT", atMs, dueMember(entry));
}

/** Removes entries of the index that are obsolete, without waiting. If that fails, the next reader of the index removes them. */
export function dropDue({ redis }: Connection, index: string, ...over: readonly DueEntry[]): void {
  if (over.length === 0) return;
  redis.zrem(index, ...over.map(dueMember)).catch(() => {
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
