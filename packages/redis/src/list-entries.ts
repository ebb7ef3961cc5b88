import type { RunStatus } from "@tm/run-events-core";
import type { Connection } from "./connection.ts";

/**
 * That an owner's run may be in this status. An owner's list and a run are keys of different slots, which a cluster cannot
 * change in one step, so a list only says where to look: an entry is made before the run comes to a status and removed
 * after it has left it, and whoever lists asks the run itself. At whatever point a process dies, the list has an entry too
 * many and never one too few.
 *
 * An entry too many costs whoever lists one look at a run, and is removed there when it can never come true again: the
 * run has left that status, or no run has had that ordinal for a day, so that none is still being made with it.
 */
export interface ListEntry {
  readonly ownerId: string;
  readonly runStatus: RunStatus;
  readonly runId: string;
  /** Names the run beyond its id, which may be used again. */
  readonly ordinal: number;
}

/** The statuses, in the order in which a run comes to them. */
export const STATUSES: readonly RunStatus[] = [
  "queued",
  "running",
  "completed",
  "failed",
  "cancelled",
];

/** Makes an entry; making it again changes nothing. */
export async function addListEntry(connection: Connection, entry: ListEntry): Promise<void> {
  const { redis, keys } = connection;
  await redis.zadd(
    keys.list(entry.ownerId, entry.runStatus),
    String(entry.ordinal),
    memberOf(entry),
  );
}

/** Removes an entry in its own time: nobody waits for it, and what stays behind is removed by whoever lists. */
export function dropListEntry(connection: Connection, entry: ListEntry): void {
  const { redis, keys } = connection;
  redis.zrem(keys.list(entry.ownerId, entry.runStatus), memberOf(entry)).catch(() => {
    // An entry too many does no harm.
  });
}

function memberOf({ ordinal, runId }: ListEntry): string {
  return `${ordinal}:${runId}`;
}

/** Parses what `memberOf` wrote. */
export function parseListMember(member: string): {
  readonly ordinal: number;
  readonly runId: string;
} {
  const colon = member.indexOf(":");
  return { ordinal: Number(member.slice(0, colon)), runId: member.slice(colon + 1) };
}
