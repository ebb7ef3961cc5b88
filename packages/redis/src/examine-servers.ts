import { RunEventsError } from "@tm/run-events-core";
import type { StoreCapabilities } from "@tm/run-events-core/store";
import type { Connection } from "./connection.ts";
import { isCluster, type RedisServerFacts } from "./driver.ts";
import { readHead } from "./scripts/read-head.ts";

type Durability = StoreCapabilities["durability"];

/** From the least promise to the most; one server that cannot tell leaves the store unable to tell, unless another keeps nothing. */
const LEAST_FIRST: readonly Durability[] = ["memory", "unknown", "process", "power"];

/**
 * Looks at the settings of the server, or of each master of a cluster.
 * @returns what an acknowledged append survives, by the least of them. @see S6
 * @throws RunEventsError `store_unavailable` if one of them may evict runs; or what the client throws
 */
export async function examineServers(connection: Connection): Promise<Durability> {
  const { redis } = connection;
  // A cluster's client knows its masters after its first answer. A server that is a replica now does not count.
  await readHead(connection, "");
  const servers = isCluster(redis) ? redis.nodes("master") : [redis];
  const found = await Promise.all(servers.map(examineServer));
  return LEAST_FIRST.find((durability) => found.includes(durability)) ?? "unknown";
}

async function examineServer(server: RedisServerFacts): Promise<Durability> {
  // Not with CONFIG, which managed servers do not have.
  const [memory, persistence] = await Promise.all([
    server.info("memory"),
    server.info("persistence"),
  ]);
  const policy = parseInfo(memory, "maxmemory_policy");
  // `volatile-*` evicts keys with an expiry, and the store has none.
  if (policy?.startsWith("allkeys")) {
    throw new RunEventsError(
      "store_unavailable",
      `Redis may evict runs: set maxmemory-policy to noeviction, it is ${policy}.`,
      { retryable: false },
    );
  }
  if (parseInfo(persistence, "aof_enabled") !== "1") return "memory";
  try {
    return durabilityOf(
      await readSetting(server, "appendfsync"),
      await readSetting(server, "no-appendfsync-on-rewrite"),
    );
  } catch (error) {
    if (error instanceof Error && error.name === "ReplyError") return "unknown";
    throw error;
  }
}

/**
 * Only `always` writes and syncs before it answers, except during a rewrite if that is exempted: then the write alone is
 * sure. `everysec` puts off even the write, for up to two seconds while a sync is under way, and `no` may answer before
 * it from a thread of its own; so with both a killed Redis may lose what it has acknowledged.
 */
function durabilityOf(appendfsync: string, noFsyncOnRewrite: string): Durability {
  if (appendfsync !== "always") return "memory";
  return noFsyncOnRewrite === "no" ? "power" : "process";
}

function parseInfo(info: string, field: string): string | undefined {
  const line = info.split("\r\n").find((one) => one.startsWith(`${field}:`));
  return line?.slice(field.length + 1);
}

/** The answer is a name and a value: a list, or an object for a client that wants RESP3's own shapes. */
async function readSetting(server: RedisServerFacts, name: string): Promise<string> {
  const reply = await server.config("GET", name);
  return String(Object.values(reply as object).at(-1));
}
