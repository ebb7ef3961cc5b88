import type { StoreCapabilities } from "@tm/run-events-core/store";
import type { Connection } from "./connection.ts";
import { isCluster } from "./driver.ts";
import { examineServers } from "./examine-servers.ts";
import { writeProbe } from "./scripts/probe.ts";

/**
 * How many keys are written for each master of a cluster; one without a cluster. Like runs, they fall into random slots: a master
 * with its share of the slots gets no key once in 3,000 prefixes.
 */
const KEYS_A_MASTER = 8;

/**
 * Resolves if an append could land now, in a cluster on each master. Checks their settings again. Also throws what the client
 * throws.
 * @returns what an acknowledged append survives now, and the latest time of the masters' clocks
 * @throws RunEventsError `store_unavailable` if a server may evict keys
 * @see clause S31 in `STORE.md`
 */
export async function probeServers(
  connection: Connection,
): Promise<{ readonly durability: StoreCapabilities["durability"]; readonly nowMs: number }> {
  const { redis } = connection;
  const durability = await examineServers(connection);
  const count = isCluster(redis) ? redis.nodes("master").length * KEYS_A_MASTER : 1;
  const times = await Promise.all(
    Array.from({ length: count }, (_, index) => writeProbe(connection, index)),
  );
  return { durability, nowMs: Math.max(...times) };
}
