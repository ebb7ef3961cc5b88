import type { RunEventStore } from "@tm/run-events-core/store";
import type { Connection } from "./connection.ts";
import { isCluster } from "./driver.ts";
import { examineServers } from "./examine-servers.ts";
import { BUCKETS } from "./keys.ts";
import { PROBE } from "./scripts/probe.ts";

/**
 * Resolves if an append could land now, in a cluster in each bucket. Checks the servers' settings again. Also throws what the client throws.
 * @returns what an acknowledged append survives now, and the latest time of the servers' clocks
 * @throws RunEventsError `store_unavailable` if a server may evict keys
 * @see clause S31 in `STORE.md`
 */
export async function probeServers(connection: Connection): Promise<{
  readonly durability: RunEventStore["capabilities"]["durability"];
  readonly nowMs: number;
}> {
  const { redis, keys, run } = connection;
  const durability = await examineServers(connection);
  const times = await Promise.all(
    Array.from({ length: isCluster(redis) ? BUCKETS : 1 }, (_, bucket) =>
      run(PROBE, [keys.probe(bucket)], []),
    ),
  );
  return { durability, nowMs: Math.max(...times.map(Number)) };
}
