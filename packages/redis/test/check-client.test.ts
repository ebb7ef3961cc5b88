import { Redis } from "ioredis";
import { expect, it } from "vitest";
import { type RedisClient } from "../src/index.ts";
import { openRedisStore } from "./ruled-store.ts";
import { connect, openServer, owned } from "./opened.ts";

/** An object with the members of a node-redis client. */
const nodeRedis = { isOpen: true, sendCommand() {}, hmGet() {}, duplicate() {}, eval() {} };

it.each<[string, unknown, string]>([
  ["a URL as text", "redis://:hunter2@127.0.0.1", "a text"],
  ["a URL", new URL("redis://:hunter2@127.0.0.1"), "an object of the kind URL"],
  ["nothing", undefined, "undefined"],
  ["null", null, "null"],
  ["a port", 6379, "6379"],
  ["a class", Redis, "a function"],
  ["a promise", Promise.resolve(), "a promise"],
  ["node-redis", nodeRedis, "an object"],
  ["settings", { host: "127.0.0.1" }, "an object"],
])("openRedisStore refuses %s with what it expected", async (_, client, came) => {
  const refused = await openRedisStore(client as RedisClient).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(TypeError);
  expect(String(refused)).toMatch(/`new Redis\(url\)`.*`fromNodeRedis\(client\)`/);
  expect(String(refused)).toMatch(new RegExp(`Got ${came}\\.$`));
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
