import { DEPARTURES_MS } from "@tm/run-events-core/store";
import type { Connection } from "../connection.ts";
import type { DepartureKeys } from "../departures.ts";
import { defineWriting, type Script } from "./script.ts";

/** How long departures of an owner stay after the last one, in milliseconds: longer than any cursor, no matter how the clock is set. */
const KEPT_MS = 24 * 60 * 60 * 1_000;

/**
 * Takes a run's entries away and adds its departure. The score of the departure is larger than all before: the time in microseconds, or
 * one more than the last score. So a clock that is set back hides no departure. A departure that exists keeps its score. So if no departure
 * has the score of a mark, that departure was lost. Of the departures that are older than any cursor, the newest stays, because a good
 * cursor may have its score. The first entry names the set, so that a mark of an earlier set, or of another server, is not known. The score
 * of that entry is 0 until a departure is forgotten. From then on the mark before the first departure is not known either. The script takes
 * less memory than the end or the removal has freed, or will free.
 *
 * KEYS: for each scope the departures, then the sets that lose the entries. ARGV: the run, its entry in lists, a new name for the set, the
 * number of keys of a scope, the departure.
 */
const DEPART: Script = defineWriting(
  `
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
for i = 1, #KEYS, ARGV[4] do
  local departed = KEYS[i]
  for j = i + 1, i + ARGV[4] - 1 do redis.call('ZREM', KEYS[j], ARGV[1], ARGV[2]) end
  local last = redis.call('ZRANGE', departed, '-1', '-1', 'WITHSCORES')[2]
  if not last then redis.call('ZADD', departed, '0', ARGV[3]) end
  redis.call('ZADD', departed, 'NX', string.format('%.0f', math.max(now, (last or 0) + 1)), ARGV[5])
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

/**
 * Adds a run's departure in each scope.
 * @param entry its entry in lists, which may be another one than the run's name
 * @param departure the name of the departure
 */
export async function depart(
  connection: Connection,
  scopes: readonly DepartureKeys[],
  { run, entry, departure }: Readonly<Record<"run" | "entry" | "departure", string>>,
): Promise<void> {
  const keys = scopes.flatMap(({ departed, left }) => [departed, ...left]);
  const size = String(keys.length / scopes.length);
  await connection.run(DEPART, keys, [run, entry, `name:${crypto.randomUUID()}`, size, departure]);
}

/**
 * Adds an entry to each key. A full Redis takes it, since a removal follows. When it is over, so are all cursors. KEYS: sorted sets.
 * ARGV: score, entry.
 */
const ANNOUNCE: Script = defineWriting(
  `
for _, key in ipairs(KEYS) do
  redis.call('ZADD', key, ARGV[1], ARGV[2])
  redis.call('PEXPIRE', key, '${KEPT_MS}')
end
`,
  "frees",
);

/** Adds an entry to the runs that are being removed. */
export async function announceRemoval(
  connection: Connection,
  keys: readonly string[],
  ordinal: string,
  member: string,
): Promise<void> {
  await connection.run(ANNOUNCE, keys, [ordinal, member]);
}
