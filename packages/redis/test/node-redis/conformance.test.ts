import { type RedisServer, startRedis } from "@tm/run-events-test-servers";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { itKeeps } from "../../../conformance/test/drivers/it-keeps.ts";
import { casesOnLeaks, LEAK_FOUND } from "../../../conformance/test/leaking-doors.ts";
import { nodeRedisDoors } from "./node-redis-doors.ts";

describe("the Redis store on node-redis", () => {
  let server: RedisServer;
  let eye: Redis;
  beforeAll(async () => {
    server = await startRedis();
    eye = new Redis(server.url);
  });
  afterAll(async () => {
    eye.disconnect();
    await server.close();
  });

  const doors = nodeRedisDoors(
    () => server.url,
    () => eye,
  );
  const options = { name: "node-redis", profile: "ci" as const, ...doors };
  itKeeps({ store: "Redis", driver: "node-redis", packages: ["redis"], options });

  it.each(casesOnLeaks(options))("the kit finds a store that breaks $name", async ({ run }) => {
    await expect(run()).rejects.toThrow(LEAK_FOUND);
  });
});
