import { defineScript, type Script } from "./script.ts";

/**
 * Appends requests to runs, those for one run in their order, and says what became of each. All requests for a run are
 * judged before anything is written to it: what a script has written stays when it fails, so nothing may fail behind the
 * first write. The first write is one that Redis refuses where it refuses writes at all: out of memory, on a replica, with
 * a broken disk. What fails for one run, fails for it alone.
 *
 * An append that moves the run to another status needs a claim on that status in its owner's list, made before; without it
 * nothing is written to the run and the answer is `unclaimed`.
 *
 * One request for a run, which does not change its status and has a new key, takes a short way: the receipt is written
 * first, if there is none yet, and taken back if the events find no stream. Whatever else comes up is left to the long way.
 * The short way is what nearly every append takes, so it makes no table and formats no number twice.
 *
 * KEYS: of each run head, events, receipts.
 * ARGV: the command that rings; then of each run the number of its requests, with a claim `number ordinal status`; of each
 * request `=ownerId` or empty, status, key, expected sequence or empty, number of events; of each event type, payload, phase
 * or empty.
 * Answers for each run `last sequence` or `last sequence, space, phase` if its one request was appended by the short way, else
 * `{'failed', error}`, `{'lost'}`, `{'unclaimed', ownerId, ordinal, status}` or `{'judged', status that was left or nil,
 * outcomes}`; an outcome is its name and, as far as it has them, the status, the last sequence and the phase.
 * @see S1-S5; `judgeAppend` and `advanceRun` are the rule.
 */
export const APPEND: Script = defineScript(`
local call, try, format, ARGV = redis.call, redis.pcall, string.format, ARGV
local HEAD, EVENTS, RECEIPTS
local owner, statusBefore, phaseSequenceBefore, before, updatedAtMs
local status, phase, phaseSequence, last, finished
local staged, lost, clockMs

local function text(number)
  return format('%d', number)
end

local function load()
  local head = call('HMGET', HEAD, 'ownerId', 'runStatus', 'phase', 'phaseSequence', 'lastSequence', 'updatedAtMs')
  owner, statusBefore, phaseSequenceBefore, before, updatedAtMs = head[1], head[2], head[4], tonumber(head[5]), head[6]
  status, phase, phaseSequence, last = statusBefore, head[3], phaseSequenceBefore, before
  finished = owner and status ~= 'running' and call('HEXISTS', HEAD, 'finishedAtMs') == 1
end

local function isOwned(asked)
  return owner and (asked == '' or asked == '=' .. owner)
end

local function isClaimed(claim)
  return status == statusBefore or claim == call('HGET', HEAD, 'ordinal') .. ' ' .. status
end

local function now()
  if not clockMs then
    local time = call('TIME')
    clockMs = text(time[1] * 1000 + math.floor(time[2] / 1000))
  end
  -- As text: what it costs to make numbers of both, an append would notice.
  local isBehind = #clockMs < #updatedAtMs or #clockMs == #updatedAtMs and clockMs < updatedAtMs
  return isBehind and updatedAtMs or clockMs
end

local function advance(newStatus, at, count)
  for i = 0, count - 1 do
    local started = ARGV[at + i * 3 + 2]
    if started ~= '' then phase, phaseSequence = started, text(last + 1 + i) end
  end
  last, status, finished = last + count, newStatus, newStatus ~= 'running'
end

local function add(sequence, id, ...)
  if sequence == 1 then return try('XADD', EVENTS, id, ...) end
  return try('XADD', EVENTS, 'NOMKSTREAM', id, ...)
end

local function addEvents(at, first, to, nowMs, inForce)
  for sequence = first, to do
    local added
    local id, eventType, payload, started = text(sequence), ARGV[at], ARGV[at + 1], ARGV[at + 2]
    if started == '' then
      added = add(sequence, id .. '-0', 'eventType', eventType, 'payload', payload, 'createdAtMs', nowMs,
        'phaseSequence', inForce)
    else
      inForce = id
      added = add(sequence, id .. '-0', 'eventType', eventType, 'payload', payload, 'createdAtMs', nowMs,
        'phaseSequence', inForce, 'phase', started)
    end
    if not added then return nil, { 'lost' } end
    if type(added) == 'table' then return nil, { 'failed', added.err } end
    at = at + 3
  end
  return inForce
end

local function changeHead(lastText, nowMs)
  call('HSET', HEAD, 'lastSequence', lastText, 'updatedAtMs', nowMs)
  if status ~= statusBefore then call('HSET', HEAD, 'runStatus', status) end
  if phaseSequence ~= phaseSequenceBefore then
    call('HSET', HEAD, 'phase', phase, 'phaseSequence', phaseSequence)
  end
  if finished then call('HSET', HEAD, 'finishedAtMs', nowMs) end
end

local function appendNew(at)
  local newStatus, key, expected, count = ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], tonumber(ARGV[at + 4])
  if not isOwned(ARGV[at]) or finished or (expected ~= '' and tonumber(expected) ~= last) then return nil end
  if newStatus ~= statusBefore or before == 0 then return nil end
  local lastText = text(before + count)
  local firstText = count == 1 and lastText or text(before + 1)
  if try('HSETNX', RECEIPTS, key, firstText .. '-' .. lastText) ~= 1 then return nil end
  local nowMs = now()
  local _, failure = addEvents(at + 5, before + 1, before + count, nowMs, phaseSequence)
  if failure then
    call('HDEL', RECEIPTS, key)
    return failure
  end
  advance(newStatus, at + 5, count)
  changeHead(lastText, nowMs)
  return phase and lastText .. ' ' .. phase or lastText
end

local function entries(first, to)
  local found = call('XRANGE', EVENTS, text(first) .. '-0', text(to) .. '-0')
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
  for i, entry in ipairs(entries(receipt.first, receipt.last)) do
    local event = at + (i - 1) * 3
    if entry[2][2] ~= ARGV[event] or entry[2][4] ~= ARGV[event + 1] then return false end
  end
  return true
end

local function phaseAfter(receipt)
  if receipt.at then return receipt.phase end
  local entry = entries(receipt.last, receipt.last)[1]
  if not entry or entry[2][8] == '0' then return false end
  local start = tonumber(entry[2][8])
  local started = entries(start, start)[1]
  return started and started[2][10]
end

local function receiptOf(key)
  if staged[key] then return staged[key] end
  local kept = call('HGET', RECEIPTS, key)
  if not kept then return nil end
  local first, to = string.match(kept, '^(%d+)-(%d+)$')
  return { first = tonumber(first), last = tonumber(to) }
end

local function judge(asked, newStatus, key, expected, count, at)
  if not isOwned(asked) then return { 'not_found' } end
  local receipt = receiptOf(key)
  if receipt then
    if not isSameBatch(receipt, at, count) then return { 'idempotency_key_reused' } end
    return { 'replayed', newStatus, text(receipt.last), phaseAfter(receipt) }
  end
  if finished then return { 'finished', status, text(last) } end
  if expected ~= '' and tonumber(expected) ~= last then return { 'sequence_conflict', status, text(last) } end
  advance(newStatus, at, count)
  local batch = { key = key, at = at, first = last - count + 1, last = last, phase = phase }
  staged[key] = batch
  staged[#staged + 1] = batch
  return { 'appended', status, text(last), phase }
end

local function writeStaged()
  local nowMs, inForce, failure = now(), phaseSequenceBefore, nil
  for _, batch in ipairs(staged) do
    inForce, failure = addEvents(batch.at, batch.first, batch.last, nowMs, inForce)
    if failure then return failure end
    call('HSET', RECEIPTS, batch.key, text(batch.first) .. '-' .. text(batch.last))
  end
  changeHead(text(last), nowMs)
end

local function appendAll(at, count, claim)
  local outcomes = {}
  staged, lost = {}, false
  for i = 1, count do
    local size = tonumber(ARGV[at + 4])
    outcomes[i] = judge(ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], size, at + 5)
    at = at + 5 + size * 3
  end
  if lost then return { 'lost' } end
  if #staged == 0 then return { 'judged', false, outcomes } end
  if not isClaimed(claim) then return { 'unclaimed', owner, call('HGET', HEAD, 'ordinal'), status } end
  return writeStaged() or { 'judged', status ~= statusBefore and statusBefore, outcomes }
end

local function appendToRun(at, count, claim)
  load()
  return count == 1 and appendNew(at) or appendAll(at, count, claim)
end

local answers = {}
local at = 2
for run = 1, #KEYS, 3 do
  HEAD, EVENTS, RECEIPTS = KEYS[run], KEYS[run + 1], KEYS[run + 2]
  local count, claim = tonumber(ARGV[at]), nil
  if not count then
    count, claim = string.match(ARGV[at], '^(%d+) (.*)$')
    count = tonumber(count)
  end
  local first = at + 1
  at = first
  for _ = 1, count do at = at + 5 + ARGV[at + 4] * 3 end
  last, before = nil, nil
  local ok, answer = pcall(appendToRun, first, count, claim)
  if not ok then
    answer = { 'failed', type(answer) == 'table' and answer.err or tostring(answer) }
  elseif last ~= before and (type(answer) == 'string' or answer[1] == 'judged') then
    try(ARGV[1], string.sub(HEAD, 1, -6), '')
  end
  answers[#answers + 1] = answer
end
return answers
`);
