import { describeValue } from "@tm/run-events-core/wire";
import type { RedisClient, RedisClusterClient } from "./driver.ts";

/** The methods that the store calls on either kind of client. */
const METHODS = ["evalsha", "eval", "duplicate"] as const;

/**
 * Refuses a value that is not a client that the store can use.
 * @throws TypeError with what was expected, and what came
 */
export function checkClient(redis: unknown): asserts redis is RedisClient | RedisClusterClient {
  const members = Object(redis) as Readonly<Record<string, unknown>>;
  if (METHODS.every((name) => typeof members[name] === "function")) return;
  // A URL may have a password.
  const came = typeof redis === "string" ? "a text" : describeValue(redis);
  throw new TypeError(
    `Expected a client: \`new Redis(url)\` or a \`Cluster\` of ioredis or iovalkey, or \`fromNodeRedis(client)\` of \`@tm/run-events-redis/node-redis\`. Got ${came}.`,
  );
}
