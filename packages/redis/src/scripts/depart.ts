import { DEPARTURES_MS } from "@tm/run-events-core/store";
import type { Connection } from "../connection.ts";
import type { DepartureKeys } from "../departures.ts";
import { defineWriting, type Script } from "./script.ts";

/** How long departures of an owner stay after the last one, in milliseconds: longer than any cursor, no matter how the clock is set. */
const KEPT_MS = 24 * 60 * 60 * 1_000;

/** A run that departs, by its names. */
export interface NamedDeparture {
  readonly run: string;
  /** Its entry in lists, which may be another one than the run's name. */
  readonly entry: string;
  readonly departure: string;
}

/**
 * Takes the entries of runs away and adds their departures. The score of a departure is larger than all before: the time in microseconds, or
 * one more than the last score. So a clock that is set back hides no departure. A departure that exists keeps its score. So if no departure
 * has the score of a mark, that departure was lost. Of the departures that are older than any cursor, the newest stays, because a good
 * cursor may have its score. The first entry names the set, so that a mark of an earlier set, or of another server, is not known. The score
 * of that entry is 0 until a departure is forgotten. From then on the mark before the first departure is not known either. The script takes
 * less memory than the ends or the removals have freed, or will free.
 *
 * KEYS: for each scope the departures, then the sets that lose the entries. ARGV: a new name for the set, the number of keys of a scope,
 * then for each run its name, its entry in lists, the departure.
 */
const DEPART: Script = defineWriting(
  `
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local gone = {}
for k = 3, #ARGV, 3 do
  table.insert(gone, ARGV[k])
  if ARGV[k + 1] ~= ARGV[k] then table.insert(gone, ARGV[k + 1]) end
end
for i = 1, #KEYS, ARGV[2] do
  local departed = KEYS[i]
  for j = i + 1, i + ARGV[2] - 1 do redis.call('ZREM', KEYS[j], unpack(gone)) end
  local last = redis.call('ZRANGE', departed, '-1', '-1', 'WITHSCORES')[2]
  if not last then redis.call('ZADD', departed, '0', ARGV[1]) end
  local score = math.max(now, (last or 0) + 1)
  for k = 5, #ARGV, 3 do
    redis.call('ZADD', departed, 'NX', string.format('%.0f', score), ARGV[k])
    score = score + 1
  end
  local old = string.format('%.0f', now - ${DEPARTURES_MS * 1_000})
  local kept = redis.call('ZRANGE', departed, old, '1', 'BYSCORE', 'REV', 'LIMIT', '0', '1', 'WITHSCORES')[2]
  if kept and redis.call('ZREMRANGEBYSCORE', departed, '1', '(' .. kept) > 0 then
    redis.call('ZADD', departed, 'XX', '0.5', redis.call('ZRANGE', departed, '0', '0')[1])
  end
  redis.call('PEXPIRE', departed, '${KEPT_MS}')
end
`,
  "frees",
);

/** Adds the departures of runs in each scope. */
export async function depart(
  connection: Connection,
  scopes: readonly DepartureKeys[],
  departures: readonly NamedDeparture[],
): Promise<void> {
  const keys = scopes.flatMap(({ departed, left }) => [departed, ...left]);
  const size = String(keys.length / scopes.length);
  const names = departures.flatMap(({ run, entry, departure }) => [run, entry, departure]);
  await connection.run(DEPART, keys, [`name:${crypto.randomUUID()}`, size, ...names]);
}

/**
 * Adds entries to each key. A full Redis takes them, since a removal follows. When they are over, so are all cursors. KEYS: sorted sets.
 * ARGV: score, entry, score, entry, …
 */
const ANNOUNCE: Script = defineWriting(
  `
for _, key in ipairs(KEYS) do
  redis.call('ZADD', key, unpack(ARGV))
  redis.call('PEXPIRE', key, '${KEPT_MS}')
end
`,
  "frees",
);

/** Adds entries to the runs that are being removed. */
export async function announceRemovals(
  connection: Connection,
  keys: readonly string[],
  entries: readonly { readonly ordinal: number; readonly member: string }[],
): Promise<void> {
  const scored = entries.flatMap(({ ordinal, member }) => [String(ordinal), member]);
  await connection.run(ANNOUNCE, keys, scored);
}
