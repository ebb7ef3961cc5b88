import type { Cluster, Redis } from "ioredis";
import type { Cluster as ValkeyCluster, Redis as Valkey } from "iovalkey";
import type { createClient } from "redis";
import { expectTypeOf, it } from "vitest";
import type { RedisClient, RedisClusterClient } from "../src/driver.ts";
import type { NodeRedisClient } from "../src/node-redis/index.ts";

it("the clients of ioredis and iovalkey have the driver's types", () => {
  expectTypeOf<Redis>().toExtend<RedisClient>();
  expectTypeOf<Valkey>().toExtend<RedisClient>();
  expectTypeOf<Cluster>().toExtend<RedisClusterClient>();
  expectTypeOf<ValkeyCluster>().toExtend<RedisClusterClient>();
});

it("a client of node-redis has the type that `fromNodeRedis` takes", () => {
  expectTypeOf<ReturnType<typeof createClient>>().toExtend<NodeRedisClient>();
});
