import type { Cluster, Redis } from "ioredis";
import type { Cluster as ValkeyCluster, Redis as Valkey } from "iovalkey";
import { expectTypeOf, it } from "vitest";
import type { RedisClient, RedisClusterClient } from "../src/driver.ts";

it("the clients of ioredis and iovalkey have the driver's types", () => {
  expectTypeOf<Redis>().toExtend<RedisClient>();
  expectTypeOf<Valkey>().toExtend<RedisClient>();
  expectTypeOf<Cluster>().toExtend<RedisClusterClient>();
  expectTypeOf<ValkeyCluster>().toExtend<RedisClusterClient>();
});
