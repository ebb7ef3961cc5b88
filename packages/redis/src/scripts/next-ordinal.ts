import type { Connection } from "../connection.ts";
import { defineWriting, type Script } from "./script.ts";

/**
 * Returns the next ordinal: microseconds since 1970, so that none is used again when a Redis has lost its data. If the last ordinal is
 * not less than the clock, the next one is one more than the last.
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

/** The ordinal of a run that is about to be created. */
export async function nextOrdinal(connection: Connection): Promise<number> {
  return Number(await connection.run(NEXT_ORDINAL, [connection.keys.ordinal], []));
}
