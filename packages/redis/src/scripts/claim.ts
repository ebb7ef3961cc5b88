import type { ClaimRequest } from "@tm/run-events-core/store";
import type { Connection } from "../connection.ts";
import { isCluster } from "../driver.ts";
import { LEASE_REFUSALS, type LeaseReply } from "./lease-reply.ts";
import { defineWriting, encodeOwner, OOM_LUA, type Script } from "./script.ts";

/** Core's `nextFence`: higher than the run's last fence and the last one offered. Only `format` writes all digits of so large a number. */
export const NEXT_FENCE: string = `
local function nextFence(nowMs, offered)
  local last = math.max(tonumber(fence or 0), tonumber(offered or 0))
  return string.format('%.0f', math.max(nowMs * 1000, last - last % 1000 + 1000) + ordinal % 1000)
end
`;

/**
 * Claims a run, unless a worker has it. A lease has its entry in the index of leases before it is granted. With the index among the
 * keys, the script makes the entry. Without the index and an entry, the script grants nothing and the answer is `unindexed`.
 * After a lost answer the client sends the claim again: the script recognizes its key, and it gets the same lease.
 *
 * The mark of an entry has the fence that its lease will have, so the fence is kept from one call to the next. No fence is offered
 * twice: if two claims had the same one, a failover could lose the one and grant the other.
 *
 * KEYS: head; where one script may use both, the index of leases.
 * ARGV: `=ownerId` or empty, leaseMs, the claim's key after `=` or `~`, the run's id, the mark of the entry that was made or empty, the
 * worker's name or empty.
 * Answers a refusal, `{'unindexed', mark, leaseExpiresAtMs}` or `{'granted', head, mark of a lease that is over or nil}`.
 * @see clause S21 in `STORE.md`; core's `claimRun` is the rule.
 */
const CLAIM: Script = defineWriting(
  `${LEASE_REFUSALS}${NEXT_FENCE}
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
if ARGV[6] ~= '' then
  redis.call('HSET', HEAD, 'worker', ARGV[6], 'workerFence', fence)
else
  redis.call('HDEL', HEAD, 'worker', 'workerFence')
end
return granted(before)
`,
  "answers when full",
);

type ClaimReply = LeaseReply | readonly ["unindexed", mark: string, leaseExpiresAtMs: string];

/**
 * Asks for a lease.
 * @param mark the mark of the entry that was made for it; `null` before that
 */
export async function sendClaim(
  connection: Connection,
  { runId, ownerId, leaseMs, claimKey, worker }: ClaimRequest & { readonly claimKey: string },
  mark: string | null,
): Promise<ClaimReply> {
  const { redis, keys } = connection;
  const { head } = keys.ofRun(runId);
  const scriptKeys = isCluster(redis) ? [head] : [head, keys.held];
  const values = [encodeOwner(ownerId), String(leaseMs), claimKey, runId, mark ?? "", worker ?? ""];
  return (await connection.change(CLAIM, scriptKeys, values)) as ClaimReply;
}
