import type { RunStatus } from "@tm/run-events-core";
import type { Connection } from "./connection.ts";

/**
 * An entry of an owner's list: the run may be in this status. An owner's list and a run are keys of different slots, which a
 * cluster cannot change in one step. So an entry is made before the run gets the status, and removed after the run has left it. A
 * listing checks the run itself. Wherever a process dies, the list has an entry too many, but misses none.
 *
 * An entry too many costs a listing one check of a run. The listing removes it when it can never be right again: the run has
 * left that status for good, or no run has had that ordinal for a day, so that none is still being created with it.
 */
export interface ListEntry {
  readonly ownerId: string;
  readonly runStatus: RunStatus;
  /** The run's topic, whose own list has the entry, too; `null` for an entry of the owner's list alone. */
  readonly topic: string | null;
  readonly runId: string;
  /** Names the run beyond its id, which may be used again. */
  readonly ordinal: number;
  /**
   * How often the run has begun or ceased to wait, in the entries under `running` and `waiting`: a run may come to them again, and the
   * entry of an earlier visit may be removed only after that. 0 for other statuses.
   */
  readonly visit: number;
}

const DAY_MS = 24 * 60 * 60 * 1_000;

/** Whether a run may still be created with this ordinal, which is a time in microseconds: that takes less than a day. */
export function isNewOrdinal(ordinal: number, nowMs: number): boolean {
  return nowMs - ordinal / 1_000 <= DAY_MS;
}

/** Adds an entry; adding it again changes nothing. */
export async function addListEntry(connection: Connection, entry: ListEntry): Promise<void> {
  const add = (key: string): Promise<unknown> =>
    connection.redis.zadd(key, String(entry.ordinal), memberOf(entry));
  await Promise.all(listsOf(connection, entry).map(add));
}

/** Removes entries without a wait. If that fails, a later listing removes them. */
export function dropListEntries(connection: Connection, entries: readonly ListEntry[]): void {
  const members = new Map<string, string[]>();
  for (const entry of entries)
    for (const key of listsOf(connection, entry)) {
      const ofKey = members.get(key);
      if (ofKey === undefined) members.set(key, [memberOf(entry)]);
      else ofKey.push(memberOf(entry));
    }
  for (const [key, ofKey] of members) {
    connection.redis.zrem(key, ...ofKey).catch(() => {
      // An entry too many does no harm.
    });
  }
}

function listsOf({ keys }: Connection, { ownerId, runStatus, topic }: ListEntry): string[] {
  const owners = keys.list(ownerId, runStatus, null);
  return topic === null ? [owners] : [owners, keys.list(ownerId, runStatus, topic)];
}

/** How a run is written in its owner's lists. */
function memberOf({
  ordinal,
  runId,
  visit,
}: Pick<ListEntry, "ordinal" | "runId" | "visit">): string {
  return visit === 0 ? `${ordinal}:${runId}` : `${ordinal}:${runId}:${visit}`;
}

/** Parses what `memberOf` wrote. */
export function parseListMember(member: string): Pick<ListEntry, "ordinal" | "runId" | "visit"> {
  // No run id has a colon.
  const [ordinal, runId = "", visit = 0] = member.split(":");
  return { ordinal: Number(ordinal), runId, visit: Number(visit) };
}
