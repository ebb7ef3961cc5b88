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
  /** Newest first, at most the limit; the entries of one run are together. */
  readonly runs: readonly (readonly [ListEntry, ...ListEntry[]])[];
  /** The ordinal below which others follow; `null` if these are all. */
  readonly next: number | null;
  /** The server's time, in microseconds since 1970. */
  readonly nowMicros: number;
}

/**
 * The newest runs below an ordinal that an owner's list has under one of these statuses, at most `limit`. They may be fewer although
 * others follow, since a list may have several entries of a run.
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
  // A list that was cut is known down to its last entry only.
  const floors = found.map((members) =>
    members.length < limit ? -Infinity : parseListMember(members.at(-1) ?? "").ordinal,
  );
  const floor = Math.max(-Infinity, ...floors);
  const known = [...byOrdinal.values()]
    .filter(([{ ordinal }]) => ordinal >= floor)
    .toSorted(([a], [b]) => b.ordinal - a.ordinal);
  const runs = known.slice(0, limit);
  const isAll = floor === -Infinity && known.length === runs.length;
  return { runs, next: isAll ? null : (runs.at(-1)?.[0].ordinal ?? null), nowMicros: Number(now) };
}
