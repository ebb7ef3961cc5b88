import type { ReleaseRequest } from "@tm/run-events-core/store";
import type { Connection } from "../connection.ts";
import { LEASE_REFUSALS, type LeaseReply } from "./lease-reply.ts";
import { defineWriting, encodeOwner, type Script } from "./script.ts";

/**
 * Ends a lease.
 *
 * KEYS: head. ARGV: `=ownerId` or empty, fence.
 * Answers a refusal or `{'granted', head, mark of the lease that is over or nil}`.
 * @see clauses S21 and S28 in `STORE.md`; core's `releaseRun` is the rule.
 */
const RELEASE: Script = defineWriting(
  `${LEASE_REFUSALS}
if (fence or '0') ~= ARGV[2] then return { 'fenced' } end
if lease and runStatus ~= 'queued' then
  local nowMs, from = expiry(0), tonumber(redis.call('HGET', HEAD, 'idleFromMs') or 0)
  redis.call('HSET', HEAD, 'idleFromMs', string.format('%.0f', math.max(nowMs, from)))
end
redis.call('HDEL', HEAD, 'leaseExpiresAtMs', 'claimKey', 'worker', 'workerFence')
return granted(lease and mark())
`,
  "frees",
);

/** Asks for the end of a lease. */
export async function sendRelease(
  connection: Connection,
  { runId, ownerId, fence }: ReleaseRequest,
): Promise<LeaseReply> {
  const values = [encodeOwner(ownerId), String(fence)];
  return (await connection.change(
    RELEASE,
    [connection.keys.ofRun(runId).head],
    values,
  )) as LeaseReply;
}
