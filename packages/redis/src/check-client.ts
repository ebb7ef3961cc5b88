import type { RedisClient, RedisClusterClient } from "./driver.ts";

/** The methods that the store calls on either kind of client. */
const METHODS = ["evalsha", "eval", "duplicate"] as const;

const EXPECTED = "Expected a client of ioredis or iovalkey, a Redis or a Cluster";

/**
 * Refuses a value that is not a client that the store can use.
 * @throws TypeError with what was expected, what came and what to do
 */
export function checkClient(redis: unknown): asserts redis is RedisClient | RedisClusterClient {
  if (typeof redis === "string" || redis instanceof URL) {
    throw new TypeError(`${EXPECTED}, got a URL. Pass new Redis(url).`);
  }
  if (typeof redis !== "object" || redis === null) {
    throw new TypeError(
      `${EXPECTED}, got ${redis === null ? "null" : typeof redis}. Pass new Redis(url).`,
    );
  }
  if ("then" in redis) {
    throw new TypeError(`${EXPECTED}, got a promise. Await it, and pass what it resolves to.`);
  }
  if ("sendCommand" in redis && "hmGet" in redis) {
    throw new TypeError(
      `${EXPECTED}, got one of node-redis. Pass \`fromNodeRedis(client)\`, from \`@tm/run-events-redis/node-redis\`.`,
    );
  }
  const missing = METHODS.filter(
    (name) => typeof (redis as Readonly<Record<string, unknown>>)[name] !== "function",
  );
  if (missing.length > 0) {
    throw new TypeError(
      `${EXPECTED}, got an object without ${missing.join(", ")}. Pass new Redis(url).`,
    );
  }
}
