import { Redis } from "ioredis";
import { expect, it } from "vitest";
import { type RedisClient } from "../src/index.ts";
import { openRedisStore } from "./ruled-store.ts";
import { connect, openServer, owned } from "./opened.ts";

const EXPECTED = "Expected a client of ioredis or iovalkey, a Redis or a Cluster";

/** An object with the members of a node-redis client. */
const nodeRedis = { isOpen: true, sendCommand() {}, hmGet() {}, duplicate() {}, eval() {} };

it.each<[string, unknown, string]>([
  ["a URL as text", "redis://:hunter2@127.0.0.1", "got a URL. Pass new Redis(url)."],
  ["a URL", new URL("redis://:hunter2@127.0.0.1"), "got a URL. Pass new Redis(url)."],
  ["nothing", undefined, "got undefined. Pass new Redis(url)."],
  ["null", null, "got null. Pass new Redis(url)."],
  ["a port", 6379, "got number. Pass new Redis(url)."],
  ["a class", Redis, "got function. Pass new Redis(url)."],
  ["a promise", Promise.resolve(), "got a promise. Await it, and pass what it resolves to."],
  [
    "node-redis",
    nodeRedis,
    "got one of node-redis. Pass `fromNodeRedis(client)`, from `@tm/run-events-redis/node-redis`.",
  ],
  [
    "settings",
    { host: "127.0.0.1" },
    "got an object without evalsha, eval, duplicate. Pass new Redis(url).",
  ],
])("openRedisStore refuses %s with what it expected", async (_, client, message) => {
  const refused = openRedisStore(client as RedisClient);
  await expect(refused).rejects.toThrow(new TypeError(`${EXPECTED}, ${message}`));
});

it("S20: openRedisStore refuses a client that has ended, for good", async () => {
  const redis = connect(await openServer());
  await redis.quit();
  await expect.poll(() => redis.status).toBe("end");
  await expect(openRedisStore(redis)).rejects.toMatchObject({
    code: "store_unavailable",
    message: "The Redis client is closed. Open a store on a new one.",
    retryable: false,
  });
});

it("S7, S20: a client that ends during an append leaves it in doubt, and the store unavailable", async () => {
  const server = await openServer();
  const redis = owned(new Redis(server.url));
  const store = await openRedisStore(redis);
  await store.createRun({ runId: "a", ownerId: "ada", metadata: "{}" });
  const other = connect(server);
  await other.call("CLIENT", "PAUSE", 60_000, "WRITE");
  const appended = store.append([
    {
      runId: "a",
      events: [{ eventType: "TOKEN", payload: "1", phase: null }],
      change: "started",
      idempotencyKey: null,
      expectedSequence: null,
      appender: { by: "anybody" },
    },
  ]);
  redis.disconnect();
  await expect(appended).rejects.toMatchObject({
    message: "The Redis client is closed. Open a store on a new one.",
    retryable: false,
    ambiguous: true,
    cause: { message: "Connection is closed." },
  });
});
