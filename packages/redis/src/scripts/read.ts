import { defineReading, refuseOnReplica, type Script } from "./script.ts";

/**
 * Reads runs of one slot: the head of each and a page of its events, as of one instant. A page is loaded in pieces, so that the server never
 * holds many large events for a page that ends before them. Each event has to be the next one: a log with a hole is `lost`, not a shorter log.
 *
 * KEYS: for each run its head, events and metadata.
 * ARGV: an event's bytes besides its payload; for each run `1` if it asks for the metadata, since, limit, maxBytes.
 * Answers for each run nil if it does not exist, `{'lost'}` or `{head, metadata, events as a list of types, payloads and times}`.
 * @see clauses S9 and S12 in `STORE.md`; `createPageCut` is the rule
 */
export const READ: Script = defineReading(`${refuseOnReplica("XDEL", "KEYS[2]")}
local call, out, at, envelope, PIECE = redis.call, {}, 2, tonumber(ARGV[1]), 16

local function id(sequence)
  return string.format('%.0f-0', sequence)
end

local function readPage(key, last)
  local since, limit, maxBytes = tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
  local events, count, bytes, next = {}, 0, 0, since + 1
  while next <= last and count < limit do
    local piece = call('XRANGE', key, id(next), id(last), 'COUNT', math.min(PIECE, limit - count))
    if #piece == 0 then return nil end
    for _, entry in ipairs(piece) do
      if entry[1] ~= id(next) then return nil end
      local event = entry[2]
      bytes = bytes + #event[4] + envelope
      if count > 0 and bytes > maxBytes then return events end
      count, next = count + 1, next + 1
      events[count * 3 - 2], events[count * 3 - 1], events[count * 3] = event[2], event[4], event[6]
    end
  end
  return events
end

local function readOne(k)
  local head = call('GET', KEYS[k])
  if not head then return false end
  local metadata = ARGV[at] == '1' and call('GET', KEYS[k + 2])
  local events = readPage(KEYS[k + 1], tonumber(string.match(head, '^%d+ %d+ (%d+)')))
  if not events or ARGV[at] == '1' and not metadata then return { 'lost' } end
  return { head, metadata, events }
end

for k = 1, #KEYS, 3 do
  out[#out + 1] = readOne(k)
  at = at + 4
end
return out
`);
