export type { RedisClient } from "../driver.ts";
export type { NodeRedisClient, NodeRedisConnection, NodeRedisOverrides } from "./driver.ts";
export { fromNodeRedis } from "./from-node-redis.ts";
