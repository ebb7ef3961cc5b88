import { defineReading, defineWriting, refuseOnReplica, type Script } from "./script.ts";

/**
 * Writes as an append does, so it is refused or answered as an append would be. Only a write shows a failed disk, so it writes
 * each time. KEYS: one of the probe's keys. Answers the time, in milliseconds.
 */
export const PROBE: Script = defineWriting(`
local time = redis.call('TIME')
redis.call('SET', KEYS[1], time[1])
return string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
`);

/**
 * Reads the number of the format, and writes it where it does not exist. Otherwise nothing is written, so that a store opens on a full server.
 *
 * KEYS: the key of the number. ARGV: the number. Answers what is there then.
 */
export const FORMAT: Script = defineReading(`${refuseOnReplica("HDEL", "KEYS[1]")}
local found = redis.call('HGET', KEYS[1], 'format')
if found then return found end
redis.call('HSET', KEYS[1], 'format', ARGV[1])
return ARGV[1]
`);
