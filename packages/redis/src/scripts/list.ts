import { defineReading, refuseOnReplica, type Script } from "./script.ts";

/**
 * The first entries of sorted sets, all as of one instant: below a score, descending, or up to some time ago, ascending.
 *
 * KEYS: the sets. ARGV: the score, or empty; how many of each set; how long ago, in milliseconds.
 * Answers for each set a list of members and scores.
 */
export const LIST: Script = defineReading(`${refuseOnReplica("ZREM", "KEYS[1]")}
local out, time = {}, redis.call('TIME')
for i, key in ipairs(KEYS) do
  if ARGV[1] ~= '' then
    out[i] = redis.call('ZRANGE', key, ARGV[1], '-inf', 'BYSCORE', 'REV', 'LIMIT', 0, ARGV[2], 'WITHSCORES')
  else
    local untilMs = string.format('%d', time[1] * 1000 + math.floor(time[2] / 1000) - ARGV[3])
    out[i] = redis.call('ZRANGE', key, '-inf', untilMs, 'BYSCORE', 'LIMIT', 0, ARGV[2], 'WITHSCORES')
  end
end
return out
`);

/**
 * Marks that change with what has to notify. A renewal does not change that of a run. That of an owner only shows creations, removals and
 * changes of status.
 *
 * KEYS: heads of runs, then an owner's lists. ARGV: the number of heads, and how many lists an owner has. Answers a mark for each run and owner.
 */
export const MARKS: Script = defineReading(`
local out, heads = {}, tonumber(ARGV[1])
for k = 1, heads do
  local ordinal, last = string.match(redis.call('GETRANGE', KEYS[k], 0, 63), '^(%d+) %d+ (%d+)')
  out[k] = ordinal and ordinal .. ' ' .. last or ''
end
for k = heads + 1, #KEYS, tonumber(ARGV[2]) do
  local sizes = {}
  for i = 0, ARGV[2] - 1 do sizes[#sizes + 1] = redis.call('ZCARD', KEYS[k + i]) end
  out[#out + 1] = table.concat(sizes, ' ')
end
return out
`);
