import { defineReading, refuseOnReplica, type Script } from "./script.ts";
import type { Connection } from "../connection.ts";

/**
 * An owner's departures after a score, and the entries of runs that may depart, all as of one instant.
 *
 * KEYS: the departures, then the sets of entries. ARGV: the score, how many departures.
 * Answers the time in milliseconds, the first entry of the departures, the last entry and its score, the departures after the score with
 * their scores, the entries of each set, and how many departures have exactly the score.
 */
const READ_DEPARTURES: Script = defineReading(`${refuseOnReplica("ZREM")}
local time = redis.call('TIME')
local departed = KEYS[1]
local open = {}
for i = 2, #KEYS do open[i - 1] = redis.call('ZRANGE', KEYS[i], '0', '-1') end
return {
  string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000)),
  redis.call('ZRANGE', departed, '0', '0'),
  redis.call('ZRANGE', departed, '-1', '-1', 'WITHSCORES'),
  redis.call('ZRANGE', departed, '(' .. ARGV[1], '+inf', 'BYSCORE', 'LIMIT', '0', ARGV[2], 'WITHSCORES'),
  open,
  redis.call('ZCOUNT', departed, ARGV[1], ARGV[1]),
}
`);

/** What an owner's slot knows of departures. */
export interface ReadDepartures {
  readonly nowMs: number;
  /** The name of the set of departures; empty before the first departure. */
  readonly name: string;
  /** The score of the last departure; 0 before the first. */
  readonly lastScore: number;
  readonly departures: readonly { readonly member: string; readonly score: number }[];
  /** Whether a departure has the score that was asked for. */
  readonly hasScore: boolean;
  /** The entries of each set, in the order of the keys. */
  readonly open: readonly (readonly string[])[];
}

/** Reads an owner's departures after a score, and the entries of other sets. */
export async function readDepartures(
  connection: Connection,
  keys: { readonly departed: string; readonly open: readonly string[] },
  score: number,
  limit: number,
): Promise<ReadDepartures> {
  const [nowMs, first, last, flat, open, count] = (await connection.run(
    READ_DEPARTURES,
    [keys.departed, ...keys.open],
    [String(score), String(limit)],
  )) as [string, string[], string[], string[], string[][], number];
  const departures = Array.from({ length: flat.length / 2 }, (_, at) => ({
    member: flat[at * 2] ?? "",
    score: Number(flat[at * 2 + 1]),
  }));
  return {
    nowMs: Number(nowMs),
    name: first[0]?.slice("name:".length) ?? "",
    lastScore: Number(last[1] ?? 0),
    departures,
    hasScore: count > 0,
    open,
  };
}
