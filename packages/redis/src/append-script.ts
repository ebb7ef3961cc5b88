import { defineScript, type Script } from "./script.ts";

/**
 * Appends requests to one run, in their order, and says what became of each. All are judged before anything is written:
 * what a script has written stays when it fails, so nothing may fail behind the first write. That first write is an XADD,
 * which Redis refuses where it refuses writes at all: out of memory, on a replica, with a broken disk.
 *
 * An append that moves the run to another status needs a claim on that status in the owner's list, made before; without it
 * nothing is written and the answer is `unclaimed`.
 *
 * KEYS: head, events, receipts.
 * ARGV: the claim as `ordinal status` or empty, the command that rings, the channel; then each request: `=ownerId` or empty, status, `1` if it
 * is terminal, key, expected sequence or empty, number of events; and each of its events: type, payload, phase or empty.
 * Answers `{'lost'}`, `{'unclaimed', ownerId, ordinal, status}` or `{'judged', status before, outcomes…}`.
 * @see S1-S5; `judgeAppend` and `advanceRun` are the rule.
 */
export const APPEND: Script = defineScript(`
local HEAD, EVENTS, RECEIPTS = KEYS[1], KEYS[2], KEYS[3]
local head = redis.call('HMGET', HEAD, 'ownerId', 'ordinal', 'runStatus', 'phase', 'phaseSequence', 'lastSequence',
  'updatedAtMs', 'finishedAtMs')
local ownerId, ordinal, status, phase, phaseSequence = head[1], head[2], head[3], head[4], head[5]
local before, last, finished = tonumber(head[6]), tonumber(head[6]), head[8]
local outcomes, receipts, batches, lost = {}, {}, {}, false

local function text(number)
  return string.format('%.0f', number)
end

local function entries(first, to)
  local found = redis.call('XRANGE', EVENTS, text(first) .. '-0', text(to) .. '-0')
  if #found ~= to - first + 1 then lost = true end
  return found
end

local function isSameBatch(receipt, at, count)
  if receipt.last - receipt.first + 1 ~= count then return false end
  if receipt.at then
    for i = 0, count * 3 - 1 do
      if i % 3 < 2 and ARGV[receipt.at + i] ~= ARGV[at + i] then return false end
    end
    return true
  end
  local kept = entries(receipt.first, receipt.last)
  for i, entry in ipairs(kept) do
    local event = at + (i - 1) * 3
    if entry[2][2] ~= ARGV[event] or entry[2][4] ~= ARGV[event + 1] then return false end
  end
  return true
end

local function phaseAfter(receipt)
  if receipt.at then return receipt.phase end
  local entry = entries(receipt.last, receipt.last)[1]
  if not entry or entry[2][8] == '0' then return false end
  local start = entries(tonumber(entry[2][8]), tonumber(entry[2][8]))[1]
  return start and start[2][10]
end

local function receiptOf(key)
  if receipts[key] then return receipts[key] end
  local kept = redis.call('HGET', RECEIPTS, key)
  if not kept then return nil end
  local first, to = string.match(kept, '^(%d+)-(%d+)$')
  return { first = tonumber(first), last = tonumber(to) }
end

local function judge(owner, newStatus, ends, key, expected, at, count)
  if not ownerId or (owner ~= '' and owner ~= '=' .. ownerId) then return { 'not_found' } end
  local receipt = receiptOf(key)
  if receipt then
    if not isSameBatch(receipt, at, count) then return { 'idempotency_key_reused' } end
    return { 'replayed', text(receipt.first), text(receipt.last), newStatus, phaseAfter(receipt) }
  end
  if finished then return { 'finished', status, text(last) } end
  if expected ~= '' and tonumber(expected) ~= last then return { 'sequence_conflict', text(last) } end
  local batch = { key = key, at = at, first = last + 1, last = last + count }
  for i = 0, count - 1 do
    local started = ARGV[at + i * 3 + 2]
    if started ~= '' then phase, phaseSequence = started, text(batch.first + i) end
  end
  batch.phase = phase
  last, status, finished = batch.last, newStatus, ends == '1'
  receipts[key] = batch
  batches[#batches + 1] = batch
  return { 'appended', text(batch.first), text(batch.last), status, phase }
end

local at = 4
while at <= #ARGV do
  local count = tonumber(ARGV[at + 5])
  outcomes[#outcomes + 1] = judge(ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], ARGV[at + 4], at + 6, count)
  at = at + 6 + count * 3
end
if lost then return { 'lost' } end
if #batches == 0 then return { 'judged', status, outcomes } end
if status ~= head[3] and ARGV[1] ~= ordinal .. ' ' .. status then
  return { 'unclaimed', ownerId, ordinal, status }
end
if head[6] == '0' and redis.call('EXISTS', EVENTS) == 1 then return { 'lost' } end

local time = redis.call('TIME')
local nowMs = text(math.max(time[1] * 1000 + math.floor(time[2] / 1000), tonumber(head[7])))

local function add(id, ...)
  if id == '1-0' then return redis.call('XADD', EVENTS, id, ...) end
  return redis.call('XADD', EVENTS, 'NOMKSTREAM', id, ...)
end

local inForce = head[5]
for _, batch in ipairs(batches) do
  local event = batch.at
  for sequence = batch.first, batch.last do
    local id, eventType, payload, started = text(sequence), ARGV[event], ARGV[event + 1], ARGV[event + 2]
    local added
    if started == '' then
      added = add(id .. '-0', 'eventType', eventType, 'payload', payload, 'createdAtMs', nowMs, 'phaseSequence', inForce)
    else
      inForce = id
      added = add(id .. '-0', 'eventType', eventType, 'payload', payload, 'createdAtMs', nowMs, 'phaseSequence', inForce,
        'phase', started)
    end
    if not added then return { 'lost' } end
    event = event + 3
  end
  redis.call('HSET', RECEIPTS, batch.key, text(batch.first) .. '-' .. text(batch.last))
end
local changes = { 'runStatus', status, 'lastSequence', text(last), 'updatedAtMs', nowMs }
local function change(field, value)
  changes[#changes + 1] = field
  changes[#changes + 1] = value
end
if phaseSequence ~= head[5] then
  change('phase', phase)
  change('phaseSequence', phaseSequence)
end
if finished then change('finishedAtMs', nowMs) end
redis.call('HSET', HEAD, unpack(changes))
redis.pcall(ARGV[2], ARGV[3], '')
return { 'judged', head[3], outcomes }
`);
