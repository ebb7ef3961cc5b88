import type { RunStatus } from "@tm/run-events-core";
import type { Connection } from "../connection.ts";
import { type ListEntry, parseListMember } from "../list-entries.ts";
import { defineReading, refuseOnReplica, type Script } from "./script.ts";

/**
 * The newest entries of each list below an ordinal, all as of one instant, after the server's time in microseconds.
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

/** The entries of an owner's list, and the time when it had them. */
export interface EntriesBelow {
  /** Newest first; the entries of one run under several statuses are together. */
  readonly runs: readonly (readonly [ListEntry, ...ListEntry[]])[];
  /** The server's time, in microseconds since 1970. */
  readonly nowMicros: number;
}

/**
 * The newest runs below an ordinal that an owner's list has under one of these statuses, at most `limit`. Fewer than `limit` are
 * all of them.
 */
export async function entriesBelow(
  connection: Connection,
  query: {
    readonly ownerId: string;
    readonly topic: string | null;
    readonly statuses: readonly RunStatus[];
    readonly below: number;
    readonly limit: number;
  },
): Promise<EntriesBelow> {
  const { ownerId, topic, statuses, below, limit } = query;
  const [now, found] = (await connection.run(
    ENTRIES_BELOW,
    statuses.map((runStatus) => connection.keys.list(ownerId, runStatus, topic)),
    [String(below), String(limit)],
  )) as [string, string[][]];
  const byOrdinal = new Map<number, [ListEntry, ...ListEntry[]]>();
  statuses.forEach((runStatus, index) => {
    for (const member of found[index] ?? []) {
      const entry = { ownerId, runStatus, topic, ...parseListMember(member) };
      const others = byOrdinal.get(entry.ordinal);
      if (others === undefined) byOrdinal.set(entry.ordinal, [entry]);
      else others.push(entry);
    }
  });
  const newestFirst = [...byOrdinal.values()].toSorted(([a], [b]) => b.ordinal - a.ordinal);
  return { runs: newestFirst.slice(0, limit), nowMicros: Number(now) };
}
