import type { Redis } from "ioredis";

/**
 * Lets time go by for the leases of runs: a server's clock cannot be set, but everything that a lease is measured by can be
 * put into the past.
 */
export async function passTime(
  redis: Redis,
  prefix: string,
  runIds: readonly string[],
  ms: number,
): Promise<void> {
  for (const runId of runIds) {
    const head = `${prefix}:{run:${runId}}:head`;
    if ((await redis.hexists(head, "leaseExpiresAtMs")) === 1) {
      await redis.hincrby(head, "leaseExpiresAtMs", -ms);
    }
  }
  for (const member of await redis.zrange(`${prefix}:held`, "0", "-1")) {
    // An entry that a store removes meanwhile does not come back.
    await redis.zadd(`${prefix}:held`, "XX", "INCR", -ms, member);
  }
}
