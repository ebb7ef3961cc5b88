import { HEAD_LINE_LUA } from "../head-text.ts";
import { defineReading, refuseOnReplica, type Script } from "./script.ts";

/** The number of keys that {@link SEE} has for each run. */
const SEEN_KEYS = 8;

/**
 * Reads the runs of one slot for decisions, all as of one instant.
 *
 * KEYS: for each run its head, events, receipts and metadata, its bucket's last ordinal, and the topic's lists of live runs; other keys instead
 * of the lists if it asks for no topic.
 * ARGV: for each run `1` if it asks for the metadata, `1` if it asks for the topic, the number of idempotency keys, and these.
 * Answers the server's time in milliseconds, and for each run `{'lost'}` or `{head, metadata, newest run of each list, receipts, ordinal}`, where
 * each receipt is `{key, text, events as a list of types and payloads}`.
 */
export const SEE: Script = defineReading(`${refuseOnReplica("HDEL", "KEYS[3]")}
local call, out, at, taken = redis.call, {}, 1, {}
local time = call('TIME')

local function seeReceipts(key, events, count)
  local found = {}
  for i = at + 3, at + 2 + count do
    local text = call('HGET', key, ARGV[i])
    if text then
      local first, last = string.match(text, '^(%d+)-(%d+)')
      local entries, flat = call('XRANGE', events, first .. '-0', last .. '-0'), {}
      if #entries ~= last - first + 1 then return nil end
      for _, entry in ipairs(entries) do
        flat[#flat + 1], flat[#flat + 2] = entry[2][2], entry[2][4]
      end
      found[#found + 1] = { ARGV[i], text, flat }
    end
  end
  return found
end

local function nextOrdinal(key)
  local last = taken[key] or tonumber(call('GET', key) or 0)
  taken[key] = math.max(time[1] * 1000000 + time[2], last + 1)
  return string.format('%d', taken[key])
end

local function seeOne(k)
  local head, count = call('GET', KEYS[k]), tonumber(ARGV[at + 2])
  if not head then
    if call('EXISTS', KEYS[k + 1], KEYS[k + 2], KEYS[k + 3]) > 0 then return { 'lost' } end
    local newest = {}
    for i = 5, 7 do newest[#newest + 1] = ARGV[at + 1] == '1' and call('ZRANGE', KEYS[k + i], 0, 0, 'REV', 'WITHSCORES') or {} end
    return { false, false, newest, {}, nextOrdinal(KEYS[k + 4]) }
  end
  local metadata = ARGV[at] == '1' and call('GET', KEYS[k + 3])
  if ARGV[at] == '1' and not metadata then return { 'lost' } end
  local _, _, last, _, _, _, _, _, kept = string.match(head, ${HEAD_LINE_LUA})
  if count > 0 and (kept == '1' and call('EXISTS', KEYS[k + 2]) == 0 or last ~= '0' and call('EXISTS', KEYS[k + 1]) == 0) then
    return { 'lost' }
  end
  local receipts = seeReceipts(KEYS[k + 2], KEYS[k + 1], count)
  return receipts and { head, metadata, {}, receipts } or { 'lost' }
end

for k = 1, #KEYS, ${SEEN_KEYS} do
  out[#out + 1] = seeOne(k)
  at = at + 3 + ARGV[at + 2]
end
return { string.format('%d', time[1] * 1000 + math.floor(time[2] / 1000)), out }
`);
