import type { RenewRequest } from "@tm/run-events-core/store";
import type { Connection } from "../connection.ts";
import { LEASE_REFUSALS, type LeaseReply } from "./lease-reply.ts";
import { defineWriting, encodeOwner, type Script } from "./script.ts";

/**
 * Moves the end of a lease. That takes no memory, so a worker keeps its run while a Redis is full.
 *
 * KEYS: head. ARGV: `=ownerId` or empty, fence, leaseMs.
 * Answers a refusal or `{'granted', head, mark of the lease if it is shorter now, else nil}`.
 * @see clause S21 in `STORE.md`; core's `renewLease` is the rule.
 */
const RENEW: Script = defineWriting(
  `${LEASE_REFUSALS}
if fence ~= ARGV[2] or not lease then return { 'fenced' } end
local _, expiresAtMs = expiry(ARGV[3])
redis.call('HSET', HEAD, 'leaseExpiresAtMs', expiresAtMs)
return granted(tonumber(expiresAtMs) < tonumber(lease) and mark())
`,
  "frees",
);

/** Asks for a later end of a lease, or an earlier one. */
export async function sendRenew(
  connection: Connection,
  { runId, ownerId, fence, leaseMs }: RenewRequest,
): Promise<LeaseReply> {
  const values = [encodeOwner(ownerId), String(fence), String(leaseMs)];
  return (await connection.change(
    RENEW,
    [connection.keys.ofRun(runId).head],
    values,
  )) as LeaseReply;
}
