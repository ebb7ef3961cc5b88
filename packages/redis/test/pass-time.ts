import type { Redis } from "ioredis";

/**
 * Lets time pass for the leases of runs. A server's clock cannot be set, but all times of a lease can be moved into the past.
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
