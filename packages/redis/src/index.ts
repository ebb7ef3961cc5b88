export type { RedisClient, RedisClusterClient } from "./driver.ts";
export type { RedisStore, RedisStoreOptions } from "./redis-store.ts";
export { openRedisStore } from "./redis-store.ts";
