import type { Connection } from "../connection.ts";
import { defineWriting, type Script } from "./script.ts";

/**
 * Writes as an append does, so it is refused or answered as an append would be. Only a write shows a failed disk, so it writes
 * each time. KEYS: one of the probe's keys. Answers the time, in milliseconds.
 */
const PROBE: Script = defineWriting(`
local time = redis.call('TIME')
redis.call('SET', KEYS[1], time[1])
return string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
`);

/**
 * Writes one of the probe's keys.
 * @returns the time on the clock of that key's server, in milliseconds
 */
export async function writeProbe(connection: Connection, index: number): Promise<number> {
  return Number(await connection.run(PROBE, [connection.keys.probe(index)], []));
}
