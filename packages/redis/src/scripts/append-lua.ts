import { OOM_LUA } from "./script.ts";

/**
 * The text of `APPEND`; `append.ts` describes its keys, values and answers.
 *
 * The short way is for one plain request with a new key to a running run, from a writer who may write. It writes the receipt first,
 * unless the key has one. It removes the receipt again if the run has lost its stream or its receipts. The long way handles
 * everything else. Nearly every append takes the short way, so that one creates no table.
 */
export const APPEND_LUA: string = `
local call, try, format, match = redis.call, redis.pcall, string.format, string.match
local KEYS, ARGV = KEYS, ARGV
local HEAD, EVENTS, RECEIPTS
local owner, statusBefore, phaseBefore, fenceBefore, leaseBefore, updatedAtMs
local status, phase, fence, lease, last, finished
local staged, hasReceipts, lost, clockMs

local function text(number)
  return format('%d', number)
end

local function isOwned(asked)
  return owner and (asked == '' or asked == '=' .. owner)
end

local function clock()
  if not clockMs then
    local time = call('TIME')
    clockMs = text(time[1] * 1000 + math.floor(time[2] / 1000))
  end
  return clockMs
end

local function now()
  local nowMs = clock()
  -- Compared as text, since to make numbers of both would slow down an append.
  local isBehind = #nowMs < #updatedAtMs or #nowMs == #updatedAtMs and nowMs < updatedAtMs
  return isBehind and updatedAtMs or nowMs
end

local function notify()
  local channel = string.sub(HEAD, 1, -6)
  try(ARGV[1], channel, '')
  if ARGV[2] ~= '' then try(ARGV[1], ARGV[2] .. owner .. '}', channel) end
end

-- What a receipt keeps after its first sequence, and the answer to an append.
local function landing(sequence)
  local place = status == 'running' and sequence or sequence .. '/' .. status
  return phase and place .. ' ' .. phase or place
end

local function statusAfter(before, change)
  if change == 'started' then return before == 'queued' and 'running' or before end
  if change == 'answered' then return before == 'waiting' and 'running' or before end
  return change
end

local function appendPlain(key, eventType, payload)
  local sequence = text(last + 1)
  local landed = landing(sequence)
  if try('HSETNX', RECEIPTS, key, sequence .. '-' .. landed) ~= 1 then return nil end
  -- Each append leaves a receipt: if this is the only one of a run with events, the others were removed.
  if last > 0 and call('HLEN', RECEIPTS) == 1 then
    call('HDEL', RECEIPTS, key)
    return { 'lost' }
  end
  local nowMs = now()
  local added = try('XADD', EVENTS, 'NOMKSTREAM', sequence .. '-0', 'eventType', eventType, 'payload', payload,
    'createdAtMs', nowMs)
  if not added or type(added) == 'table' then
    call('HDEL', RECEIPTS, key)
    return added and { 'failed', added.err } or { 'lost' }
  end
  call('HSET', HEAD, 'lastSequence', sequence, 'updatedAtMs', nowMs)
  notify()
  return landed
end

local function after(at)
  local shape = ARGV[at + 2]
  local count = shape ~= '' and match(shape, ' (%d+)$')
  return at + (count and 3 + 3 * count or 5)
end

local function isIdle(asked, idleForMs)
  if lease or status ~= asked then return false end
  local times = call('HMGET', HEAD, 'createdAtMs', 'idleFromMs')
  local since = tonumber(times[1])
  if status ~= 'queued' then
    local updated = #staged > 0 and now() or updatedAtMs
    since = math.max(tonumber(updated), tonumber(times[2] or 0))
  end
  return since + idleForMs <= tonumber(clock())
end

local function isFenced(appender)
  if appender == 'owner' or appender == 'input' then return false end
  local graceMs = match(appender, '^reaper:(.+)$')
  if graceMs then return not lease or lease + graceMs > tonumber(clock()) end
  local asked, idleForMs = match(appender, '^sweeper:(%l+):(.+)$')
  if asked then return not isIdle(asked, idleForMs) end
  return appender ~= (lease and fence or '')
end

local function entries(first, to)
  local found = call('XRANGE', EVENTS, text(first) .. '-0', text(to) .. '-0')
  if #found ~= to - first + 1 then lost = true end
  return found
end

local function isSameBatch(receipt, at, count, step)
  if receipt.last - receipt.first + 1 ~= count then return false end
  local kept = not receipt.at and entries(receipt.first, receipt.last)
  for i = 0, count - 1 do
    local eventType, payload
    if kept then
      local fields = kept[i + 1] and kept[i + 1][2] or {}
      eventType, payload = fields[2], fields[4]
    else
      eventType, payload = ARGV[receipt.at + i * receipt.step], ARGV[receipt.at + i * receipt.step + 1]
    end
    if eventType ~= ARGV[at + i * step] or payload ~= ARGV[at + i * step + 1] then return false end
  end
  return true
end

local function parseReceipt(kept)
  local first, to, statusThen, phaseThen = match(kept, '^(%d+)-(%d+)/?(%l*) ?(.*)$')
  return {
    first = tonumber(first), last = tonumber(to),
    status = statusThen == '' and 'running' or statusThen, phase = phaseThen ~= '' and phaseThen
  }
end

local function judge(at, kept)
  local asked, key, shape = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  local appender, change, expected, count = match(shape, '^(%S*) (%l+) (%d*) (%d+)$')
  local step = 3
  if not count then appender, change, expected, count, step = shape, 'started', '', 1, 2 end
  count = tonumber(count)
  if not isOwned(asked) then return { 'not_found' } end
  if not hasReceipts then lost = true end
  local receipt = staged[key] or kept and parseReceipt(kept)
  if receipt then
    if not isSameBatch(receipt, at + 3, count, step) then return { 'idempotency_key_reused' } end
    return { 'replayed', receipt.status, text(receipt.last), receipt.phase }
  end
  if finished then return { 'finished', status, text(last) } end
  if isFenced(appender) then return { 'fenced' } end
  local isLive = change == 'started' or change == 'waiting' or change == 'answered'
  if expected ~= '' and tonumber(expected) ~= last or last + count > ${Number.MAX_SAFE_INTEGER} - (isLive and 1 or 0) then
    return { 'sequence_conflict', status, text(last) }
  end
  local batch = { key = key, at = at + 3, step = step, first = last + 1, last = last + count }
  if step == 3 then
    for i = 0, count - 1 do
      local started = ARGV[at + 5 + i * 3]
      if started ~= '' then phase = started end
    end
  end
  last, status = batch.last, statusAfter(status, change)
  finished = status == change and status ~= 'waiting'
  if appender == 'owner' or match(appender, '^reaper') or match(appender, '^sweeper') then fence, lease = text((fence or 0) + 1), false end
  if finished then lease = false end
  batch.phase, batch.status, batch.landed = phase, status, landing(text(last))
  staged[key] = batch
  staged[#staged + 1] = batch
  return batch.landed
end

local function add(sequence, id, ...)
  if sequence == 1 then return try('XADD', EVENTS, id, ...) end
  return try('XADD', EVENTS, 'NOMKSTREAM', id, ...)
end

local function writeStaged(visit)
  local nowMs, receipts = now(), {}
  for _, batch in ipairs(staged) do
    for sequence = batch.first, batch.last do
      local at = batch.at + (sequence - batch.first) * batch.step
      local added = add(sequence, text(sequence) .. '-0', 'eventType', ARGV[at], 'payload', ARGV[at + 1], 'createdAtMs', nowMs)
      if not added then return { 'lost' } end
      if type(added) == 'table' then return { 'failed', added.err } end
    end
    receipts[#receipts + 1] = batch.key
    receipts[#receipts + 1] = text(batch.first) .. '-' .. batch.landed
  end
  call('HSET', RECEIPTS, unpack(receipts))
  call('HSET', HEAD, 'lastSequence', text(last), 'updatedAtMs', nowMs)
  if status ~= statusBefore then call('HSET', HEAD, 'runStatus', status) end
  if visit then call('HSET', HEAD, 'visits', text(visit)) end
  if phase ~= phaseBefore then call('HSET', HEAD, 'phase', phase) end
  if finished then call('HSET', HEAD, 'finishedAtMs', nowMs) end
  if fence ~= fenceBefore then call('HSET', HEAD, 'fence', fence) end
  if lease ~= leaseBefore then call('HDEL', HEAD, 'leaseExpiresAtMs', 'claimKey', 'worker', 'workerFence') end
  notify()
end

local function appendAll(at, count, entry)
  local outcomes, keys, request = {}, {}, at
  for i = 1, count do
    keys[i] = ARGV[request + 1]
    request = after(request)
  end
  staged, lost = {}, false
  local receipts = call('HMGET', RECEIPTS, unpack(keys))
  hasReceipts = last == 0 or not last or call('EXISTS', RECEIPTS) == 1
  for i = 1, count do
    outcomes[i] = judge(at, receipts[i])
    at = after(at)
  end
  if lost then return { 'lost' } end
  if #staged == 0 then return { 'judged', false, outcomes } end
  if isFull then return { 'failed', ${OOM_LUA} } end
  local hasMoved, isOver = status ~= statusBefore, lease ~= leaseBefore
  local ordinal = (hasMoved or isOver) and call('HGET', HEAD, 'ordinal')
  local visits = hasMoved and tonumber(call('HGET', HEAD, 'visits') or 0)
  local returns = hasMoved and not finished and (status == 'waiting' or statusBefore == 'waiting')
  local visit = returns and visits + 1 or 0
  if hasMoved and entry ~= ordinal .. ' ' .. status .. ' ' .. text(visit) then
    return { 'unlisted', owner, ordinal, status, updatedAtMs, text(visit), call('HGET', HEAD, 'topic') }
  end
  return writeStaged(returns and visit)
    or { 'judged', hasMoved and statusBefore .. ' ' .. text(visits), outcomes, isOver and ordinal .. '/' .. fenceBefore }
end

local function appendToRun(at, count, entry)
  local head = call('HMGET', HEAD, 'lastSequence', 'updatedAtMs', 'runStatus', 'ownerId', 'phase', 'fence', 'leaseExpiresAtMs')
  last, updatedAtMs, statusBefore, owner, phaseBefore, fenceBefore, leaseBefore = unpack(head)
  last, status, phase, fence, lease = tonumber(last), statusBefore, phaseBefore, fenceBefore, leaseBefore
  if not isFull and count == '1' and ARGV[at + 2] == (lease and fence or '') and status == 'running'
    and last < ${Number.MAX_SAFE_INTEGER - 1} and isOwned(ARGV[at]) then
    local answer = appendPlain(ARGV[at + 1], ARGV[at + 3], ARGV[at + 4])
    if answer then return answer end
  end
  finished = owner and status ~= 'running' and call('HEXISTS', HEAD, 'finishedAtMs') == 1
  return appendAll(at, tonumber(count), entry)
end

local answers = {}
local at = 3
for run = 1, #KEYS, 3 do
  HEAD, EVENTS, RECEIPTS = KEYS[run], KEYS[run + 1], KEYS[run + 2]
  local count, entry, first = ARGV[at], nil, at + 1
  if count == '1' then
    at = after(first)
  else
    count, entry = match(count, '^(%d+) ?(.*)$')
    at = first
    for _ = 1, count do at = after(at) end
  end
  local ok, answer = pcall(appendToRun, first, count, entry)
  if not ok then answer = { 'failed', type(answer) == 'table' and answer.err or tostring(answer) } end
  answers[(run + 2) / 3] = answer
end
return answers
`;
