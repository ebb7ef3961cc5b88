import { HEAD_FIELDS_LUA } from "./head.ts";
import { defineWriting, OOM_LUA, type Script } from "./script.ts";

/** How each of these scripts begins: with what refuses them all. Their first key is a head, their first value `=ownerId` or empty. */
const REFUSALS = `
local HEAD = KEYS[1]
local ownerId, runStatus, finishedAtMs, last, ordinal, fence, lease, claimKey = unpack(redis.call('HMGET', HEAD, 'ownerId',
  'runStatus', 'finishedAtMs', 'lastSequence', 'ordinal', 'fence', 'leaseExpiresAtMs', 'claimKey'))
if not ownerId or (ARGV[1] ~= '' and ARGV[1] ~= '=' .. ownerId) then return { 'not_found' } end
if finishedAtMs then return { 'finished', runStatus, last } end

local function mark()
  return ordinal .. '/' .. fence
end

local function granted(otherLease)
  return { 'granted', redis.call('HMGET', HEAD, ${HEAD_FIELDS_LUA}), otherLease or false }
end

local function expiry(leaseMs)
  local time = redis.call('TIME')
  local nowMs = time[1] * 1000 + math.floor(time[2] / 1000)
  return nowMs, string.format('%.0f', nowMs + leaseMs)
end
`;

/** Core's `nextFence`: higher than the run's last fence, and than the last one offered. Only `format` writes all digits of so high a number. */
const NEXT_FENCE = `
local function nextFence(nowMs, offered)
  local last = math.max(tonumber(fence or 0), tonumber(offered or 0))
  return string.format('%.0f', math.max(nowMs * 1000, last - last % 1000 + 1000) + ordinal % 1000)
end
`;

/**
 * Gives a run to whoever claims it, unless somebody has it. The lease has an entry in the index of leases before it is
 * there: with the index among the keys it is made in passing, else nothing is done without one and the answer is `unindexed`.
 * A claim whose answer was lost is sent again by the client: it is known by its key, and gets the same lease.
 *
 * The mark of an entry has the fence that its lease will have, so the fence is kept from one call to the next. No fence is offered
 * twice: if two claims had the same one, a failover could lose the one and grant the other.
 *
 * KEYS: head; where one script may use both, the index of leases.
 * ARGV: `=ownerId` or empty, leaseMs, the claim's key behind `=` or `~`, the run's id, the mark of the entry that was made or empty.
 * Answers a refusal, `{'unindexed', mark, leaseExpiresAtMs}` or `{'granted', head, mark of a lease that is over or nil}`.
 * @see S21; core's `claimRun` is the rule.
 */
export const CLAIM: Script = defineWriting(
  `${REFUSALS}${NEXT_FENCE}
local nowMs, expiresAtMs = expiry(ARGV[2])
local before = lease and mark()
if lease and tonumber(lease) > nowMs then
  if claimKey == ARGV[3] then return granted() end
  return { 'claimed', lease }
end
if isFull then return redis.error_reply(${OOM_LUA}) end
local made = string.match(ARGV[5], '^' .. ordinal .. '/(%d+)$')
if KEYS[2] then
  fence = nextFence(nowMs)
  redis.call('ZADD', KEYS[2], 'LT', expiresAtMs, mark() .. ':' .. ARGV[4])
elseif made and tonumber(made) > tonumber(fence or 0) then
  fence = made
else
  fence = nextFence(nowMs, redis.call('HGET', HEAD, 'offeredFence'))
  redis.call('HSET', HEAD, 'offeredFence', fence)
  return { 'unindexed', mark(), expiresAtMs }
end
redis.call('HSET', HEAD, 'fence', fence, 'leaseExpiresAtMs', expiresAtMs, 'claimKey', ARGV[3])
return granted(before)
`,
  "answers when full",
);

/**
 * Puts off the end of a lease. That takes no memory, so a worker keeps its run while a Redis is full.
 *
 * KEYS: head. ARGV: `=ownerId` or empty, fence, leaseMs.
 * Answers a refusal or `{'granted', head, mark of the lease if it is shorter now, else nil}`.
 * @see S21; core's `renewLease` is the rule.
 */
export const RENEW: Script = defineWriting(
  `${REFUSALS}
if fence ~= ARGV[2] or not lease then return { 'fenced' } end
local _, expiresAtMs = expiry(ARGV[3])
redis.call('HSET', HEAD, 'leaseExpiresAtMs', expiresAtMs)
return granted(tonumber(expiresAtMs) < tonumber(lease) and mark())
`,
  "frees",
);

/**
 * Ends a lease.
 *
 * KEYS: head. ARGV: `=ownerId` or empty, fence.
 * Answers a refusal or `{'granted', head, mark of the lease that is over or nil}`.
 * @see S21; core's `releaseRun` is the rule.
 */
export const RELEASE: Script = defineWriting(
  `${REFUSALS}
if (fence or '0') ~= ARGV[2] then return { 'fenced' } end
redis.call('HDEL', HEAD, 'leaseExpiresAtMs', 'claimKey')
return granted(lease and mark())
`,
  "frees",
);
