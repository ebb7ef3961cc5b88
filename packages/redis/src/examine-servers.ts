import { RunEventsError } from "@tm/run-events-core";
import type { RunEventStore } from "@tm/run-events-core/store";
import type { Connection } from "./connection.ts";
import { isCluster, type RedisServerFacts } from "./driver.ts";
import { checkFormat } from "./format.ts";

type Durability = RunEventStore["capabilities"]["durability"];

/** From the weakest promise to the strongest. A server without a known setting makes the store `unknown`, unless another is `memory`. */
const LEAST_FIRST: readonly Durability[] = ["memory", "unknown", "process", "power"];

/**
 * Checks the settings of the server, or of each master of a cluster. Also throws what the client throws.
 * @returns what an acknowledged append survives, by the weakest of them
 * @throws RunEventsError `store_unavailable` if a server may evict keys, or for keys of another format
 * @see clause S6 in `STORE.md`
 */
export async function examineServers(connection: Connection): Promise<Durability> {
  const { redis } = connection;
  // A cluster's client knows its masters after its first answer. A server that is a replica now does not count.
  await checkFormat(connection);
  const servers = isCluster(redis) ? redis.nodes("master") : [redis];
  const found = await Promise.all(servers.map(examineServer));
  return LEAST_FIRST.find((durability) => found.includes(durability)) ?? "unknown";
}

async function examineServer(server: RedisServerFacts): Promise<Durability> {
  // Without CONFIG, which managed servers do not have.
  const [memory, persistence] = await Promise.all([
    server.info("memory"),
    server.info("persistence"),
  ]);
  const policy = parseInfo(memory, "maxmemory_policy");
  // No key of the store expires by itself. But `volatile-*` is refused too: it evicts each key to which an operator gave an expiry.
  if (policy !== undefined && policy !== "noeviction") {
    throw new RunEventsError(
      "store_unavailable",
      `Expected maxmemory-policy noeviction, got ${policy}, under which Redis may evict what the store needs: set it to noeviction.`,
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
 * Only `always` writes and syncs before it answers. During a rewrite that is exempted, only the write is certain. `everysec`
 * delays even the write, for up to two seconds while a sync is under way. `no` may answer before the write, which another
 * thread makes. So with both, a killed Redis may lose what it has acknowledged.
 */
function durabilityOf(appendfsync: string, noFsyncOnRewrite: string): Durability {
  if (appendfsync !== "always") return "memory";
  return noFsyncOnRewrite === "no" ? "power" : "process";
}

function parseInfo(info: string, field: string): string | undefined {
  const line = info.split("\r\n").find((one) => one.startsWith(`${field}:`));
  return line?.slice(field.length + 1);
}

/** The answer is a name and a value: a list, or an object for a client that uses RESP3's types. */
async function readSetting(server: RedisServerFacts, name: string): Promise<string> {
  const reply = await server.config("GET", name);
  return String(Object.values(reply as object).at(-1));
}
