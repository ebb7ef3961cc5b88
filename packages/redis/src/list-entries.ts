import type { RunStatus } from "@tm/run-events-core";
import type { Connection } from "./connection.ts";
import { defineReading, refuseOnReplica, type Script } from "./script.ts";

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

/**
 * The newest entries of each list below an ordinal, all as of one instant, behind the server's time in microseconds.
 *
 * KEYS: lists. ARGV: the ordinal, how many of each.
 */
const ENTRIES_BELOW: Script = defineReading(`${refuseOnReplica("ZREM")}
local time = redis.call('TIME')
local found = {}
for i, key in ipairs(KEYS) do
  found[i] = redis.call('ZRANGE', key, '(' .. ARGV[1], '-inf', 'BYSCORE', 'REV', 'LIMIT', '0', ARGV[2])
end
return { string.format('%.0f', time[1] * 1000000 + time[2]), found }
`);

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

/** What stands in an owner's list, and when it did. */
export interface EntriesBelow {
  /** Newest first; of one run those of several statuses stand together. */
  readonly runs: readonly (readonly [ListEntry, ...ListEntry[]])[];
  /** The server's time, in microseconds since 1970. */
  readonly nowMicros: number;
}

/**
 * The newest runs below an ordinal that stand in an owner's list under one of these statuses, at most `limit`. Fewer are all
 * that there are.
 */
export async function findListEntries(
  connection: Connection,
  query: {
    readonly ownerId: string;
    readonly statuses: readonly RunStatus[];
    readonly below: number;
    readonly limit: number;
  },
): Promise<EntriesBelow> {
  const { ownerId, statuses, below, limit } = query;
  const [now, found] = (await connection.run(
    ENTRIES_BELOW,
    statuses.map((runStatus) => connection.keys.list(ownerId, runStatus)),
    [String(below), String(limit)],
  )) as [string, string[][]];
  const byOrdinal = new Map<number, [ListEntry, ...ListEntry[]]>();
  statuses.forEach((runStatus, index) => {
    for (const member of found[index] ?? []) {
      const entry = { ownerId, runStatus, ...parseMember(member) };
      const others = byOrdinal.get(entry.ordinal);
      if (others === undefined) byOrdinal.set(entry.ordinal, [entry]);
      else others.push(entry);
    }
  });
  const newestFirst = [...byOrdinal.values()].toSorted(([a], [b]) => b.ordinal - a.ordinal);
  return { runs: newestFirst.slice(0, limit), nowMicros: Number(now) };
}

function memberOf({ ordinal, runId }: ListEntry): string {
  return `${ordinal}:${runId}`;
}

function parseMember(member: string): { readonly ordinal: number; readonly runId: string } {
  const colon = member.indexOf(":");
  return { ordinal: Number(member.slice(0, colon)), runId: member.slice(colon + 1) };
}
