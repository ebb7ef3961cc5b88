import { HEAD_FIELDS_LUA } from "./head.ts";
import { defineReading, defineWriting, OOM_LUA, refuseOnReplica, type Script } from "./script.ts";

/**
 * Makes a run unless its id is in use; answers the fields of the run that is then there, or `{'lost'}` if the id is free
 * but keys of an earlier run are left, which no command of this store does.
 *
 * KEYS: head, events, receipts.
 * ARGV: ownerId, status, ordinal, metadata, the command that rings, the channel.
 * @see S16
 */
export const CREATE_RUN: Script = defineWriting(
  `
local HEAD = KEYS[1]
if redis.call('EXISTS', HEAD) == 0 then
  if redis.call('EXISTS', KEYS[2], KEYS[3]) > 0 then return { 'lost' } end
  if isFull then return redis.error_reply(${OOM_LUA}) end
  local time = redis.call('TIME')
  local nowMs = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
  redis.call('HSET', HEAD, 'ownerId', ARGV[1], 'runStatus', ARGV[2], 'ordinal', ARGV[3], 'metadata', ARGV[4],
    'lastSequence', '0', 'phaseSequence', '0', 'createdAtMs', nowMs, 'updatedAtMs', nowMs)
  redis.pcall(ARGV[5], ARGV[6], '')
end
return redis.call('HMGET', HEAD, ${HEAD_FIELDS_LUA})
`,
  "answers when full",
);

/**
 * Removes a finished run whole.
 *
 * KEYS: head, events, receipts.
 * ARGV: `=ownerId` or empty, the ordinal or empty, the command that rings, the channel.
 * Answers `{'not_found'}`, `{'active'}` or `{'deleted', ownerId, ordinal}`.
 * @see S17, S24
 */
export const DELETE_RUN: Script = defineWriting(
  `
local head = redis.call('HMGET', KEYS[1], 'ownerId', 'ordinal', 'finishedAtMs')
if not head[1] or (ARGV[1] ~= '' and ARGV[1] ~= '=' .. head[1]) then return { 'not_found' } end
if ARGV[2] ~= '' and ARGV[2] ~= head[2] then return { 'not_found' } end
if not head[3] then return { 'active' } end
redis.call('UNLINK', unpack(KEYS))
redis.pcall(ARGV[3], ARGV[4], '')
return { 'deleted', head[1], head[2] }
`,
  "frees",
);

/**
 * Gives out the next ordinal: microseconds since 1970, so that none comes back when a Redis has lost its data, or one more
 * than the last where the clock stands behind that.
 *
 * KEYS: the last ordinal.
 */
export const NEXT_ORDINAL: Script = defineWriting(`
local time = redis.call('TIME')
local last = tonumber(redis.call('GET', KEYS[1]) or '0')
local ordinal = string.format('%.0f', math.max(time[1] * 1000000 + time[2], last + 1))
redis.call('SET', KEYS[1], ordinal)
return ordinal
`);

/** The current run. KEYS: head. Answers the fields. @see S10 */
export const READ_HEAD: Script = defineReading(`${refuseOnReplica("HDEL")}
return redis.call('HMGET', KEYS[1], ${HEAD_FIELDS_LUA})
`);
