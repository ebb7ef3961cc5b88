import { HEAD_LINE_LUA } from "../head-text.ts";
import { defineWriting, type Script } from "./script.ts";

/**
 * Appends and renewals of the plain case, of many runs of one slot. It repeats what `takesPlain` compares, and adds to the head what
 * `headAfterPlain` adds: no other rule is in Lua.
 *
 * KEYS: for each run its head, events and receipts.
 * ARGV: the command that notifies; for each run how many plains it has, its owner's channel and its id; for each plain its fence, its expected
 * sequence, `leaseMs`, its key, the last phase that it starts and how many events it has, each but the last of them empty for none; then the
 * type and the payload of each event.
 * Answers for each plain `last status lease phase`, nil if it is not plain after all, or `{error}`.
 *
 * An append writes its receipt first, since that shows whether its key is new. What fails after that is undone.
 */
export const APPEND: Script = defineWriting(`
local call, try, format = redis.call, redis.pcall, string.format
local KEYS, ARGV = KEYS, ARGV
local time, out, at, changed = call('TIME'), {}, 2, {}
local nowMs = time[1] * 1000 + math.floor(time[2] / 1000)
local clock = format('%d', nowMs)

local function addEvents(key, last, count, updated)
  for i = 1, count do
    local id, eventType, payload, added = format('%d-0', last + i), ARGV[at + 4 + i * 2], ARGV[at + 5 + i * 2], nil
    if last + i == 1 then
      added = try('XADD', key, id, 't', eventType, 'p', payload, 'c', updated)
    else
      added = try('XADD', key, 'NOMKSTREAM', id, 't', eventType, 'p', payload, 'c', updated)
    end
    if not added or type(added) == 'table' then
      for k = 1, i - 1 do call('XDEL', key, format('%d-0', last + k)) end
      return added and added.err or 'lost'
    end
  end
end

for k = 1, #KEYS, 3 do
  local head, failure = try('GET', KEYS[k]), nil
  local ordinal, revision, last, updated, fence, lease, due, status, kept, exclusive, phase, rest
  if type(head) == 'table' then
    failure = head.err
  elseif head then
    ordinal, revision, last, updated, fence, lease, due, status, kept, exclusive, phase, rest = string.match(head, ${HEAD_LINE_LUA})
  end
  local plain, moved, notified = status == 'running' or status == 'waiting', 0, false
  local count, channel, runId = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  last, at = tonumber(last), at + 3
  for _ = 1, count do
    local expected, leaseMs, key, n = ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], tonumber(ARGV[at + 5])
    plain = plain and ARGV[at] == (lease == '' and '' or fence)
      and (expected == '' or tonumber(expected) == last)
      and last + n < ${Number.MAX_SAFE_INTEGER}
      and (leaseMs == '' or tonumber(due) <= nowMs + leaseMs)
    local inForce = ARGV[at + 4] == '' and phase or ARGV[at + 4]
    if plain and key ~= '' then
      local isNew = try('HSETNX', KEYS[k + 2], key, format('%d-%d %s ', last + 1, last + n, status) .. inForce)
      if type(isNew) == 'table' then
        failure = isNew.err
      elseif isNew == 1 and kept == '1' and call('HLEN', KEYS[k + 2]) == 1 then
        call('HDEL', KEYS[k + 2], key)
        failure = 'lost'
      end
      plain = not failure and isNew == 1
    end
    if plain and n > 0 then
      -- Compared as text, since converting both to numbers would slow down an append.
      if #updated < #clock or #updated == #clock and updated < clock then updated = clock end
      failure = addEvents(KEYS[k + 1], last, n, updated)
      if failure then
        plain = false
        if key ~= '' then call('HDEL', KEYS[k + 2], key) end
      end
    end
    if plain then
      moved, last, phase, notified = moved + 1, last + n, inForce, notified or n > 0
      if key ~= '' then kept = '1' end
      if leaseMs ~= '' then lease = format('%d', nowMs + leaseMs) end
      out[#out + 1] = format('%d %s %s ', last, status, lease) .. phase
    else
      out[#out + 1] = failure and { failure } or false
    end
    at = at + 6 + n * 2
  end
  if moved > 0 then
    local line = ordinal .. format(' %d %d ', revision + moved, last) .. updated .. ' ' .. fence .. ' ' .. lease .. ' ' .. due .. ' '
      .. status .. ' ' .. kept .. ' ' .. exclusive .. ' ' .. phase
    -- Mostly no number gets longer. Then only the line is written, here, to the log of the disk and to replicas.
    if #line == rest - 1 then
      call('SETRANGE', KEYS[k], 0, line)
    else
      call('SET', KEYS[k], line .. string.sub(head, rest))
    end
  end
  if notified then
    try(ARGV[1], KEYS[k], '')
    local runIds = changed[channel] or {}
    changed[channel], runIds[#runIds + 1] = runIds, runId
  end
end
for channel, runIds in pairs(changed) do try(ARGV[1], channel, table.concat(runIds, ' ')) end
return out
`);
