import type { Connection } from "../connection.ts";
import { defineWriting, type Script } from "./script.ts";

/**
 * Gives out the next ordinal: microseconds since 1970, so that none comes back when a Redis has lost its data, or one more
 * than the last where the clock stands behind that.
 *
 * KEYS: the last ordinal.
 */
const NEXT_ORDINAL: Script = defineWriting(`
local time = redis.call('TIME')
local last = tonumber(redis.call('GET', KEYS[1]) or '0')
local ordinal = string.format('%.0f', math.max(time[1] * 1000000 + time[2], last + 1))
redis.call('SET', KEYS[1], ordinal)
return ordinal
`);

/** The ordinal of a run that is about to be made. */
export async function nextOrdinal(connection: Connection): Promise<number> {
  return Number(await connection.run(NEXT_ORDINAL, [connection.keys.ordinal], []));
}
