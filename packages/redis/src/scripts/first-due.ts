import type { Connection } from "../connection.ts";
import { type DueEntry, parseDueMember } from "../due.ts";
import { defineReading, refuseOnReplica, type Script } from "./script.ts";

/**
 * The first entries of an index, each with its score, after the server's time in milliseconds.
 *
 * KEYS: the index. ARGV: how long ago they were due in milliseconds, how many, the time of an earlier turn or empty.
 */
const FIRST_DUE: Script = defineReading(`${refuseOnReplica("ZREM")}
local nowMs = tonumber(ARGV[3])
if not nowMs then
  local time = redis.call('TIME')
  nowMs = time[1] * 1000 + math.floor(time[2] / 1000)
end
local latest = string.format('%.0f', nowMs - ARGV[1])
local entries = redis.call('ZRANGE', KEYS[1], '-inf', latest, 'BYSCORE', 'LIMIT', '0', ARGV[2], 'WITHSCORES')
return { string.format('%.0f', nowMs), entries }
`);

/** Asks an index for the first entries that were due some time ago. */
export interface FirstDueQuery {
  readonly index: string;
  /** How long ago, in milliseconds, by the clock of the index's server. */
  readonly ageMs: number;
  readonly count: number;
  /** The time of an earlier turn, as it was answered; `null` for the server's time. */
  readonly nowMs: string | null;
}

/** The entries, earliest first, and the time as of which they were due. */
export interface FirstDue {
  readonly nowMs: string;
  readonly entries: readonly { readonly entry: DueEntry; readonly score: number }[];
}

/** The first entries of an index. */
export async function firstDue(
  connection: Connection,
  { index, ageMs, count, nowMs: asked }: FirstDueQuery,
): Promise<FirstDue> {
  const values = [String(ageMs), String(count), asked ?? ""];
  const [nowMs, flat] = (await connection.run(FIRST_DUE, [index], values)) as readonly [
    string,
    readonly string[],
  ];
  const entries = Array.from({ length: flat.length / 2 }, (_, at) => ({
    entry: parseDueMember(flat[at * 2] ?? ""),
    score: Number(flat[at * 2 + 1]),
  }));
  return { nowMs, entries };
}
