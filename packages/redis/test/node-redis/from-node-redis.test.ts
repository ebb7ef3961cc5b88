import { createOf } from "@tm/run-events-test-servers/requests";
import { createClient, createClientPool, createCluster, createSentinel, RESP_TYPES } from "redis";
import { expect, it, onTestFinished } from "vitest";
import { openRedisStore } from "../ruled-store.ts";
import { fromNodeRedis, type NodeRedisClient } from "../../src/node-redis/index.ts";
import { connect, openServer, runKeys } from "../opened.ts";
import { connectNodeRedis } from "./node-redis-doors.ts";

const EXPECTED = "Expected a client of node-redis, what `createClient` returns";
const OTHER =
  "got another object. For a cluster or Sentinel, pass a client of ioredis to `openRedisStore`.";
const NODE = { host: "127.0.0.1", port: 1 };

it.each<[string, () => unknown, string]>([
  ["nothing", () => undefined, "got undefined. Pass a connected client."],
  ["null", () => null, "got null. Pass a connected client."],
  ["a URL", () => "redis://127.0.0.1", "got string. Pass a connected client."],
  ["a promise", () => Promise.resolve(), "got a promise. Await it."],
  ["another object", () => ({}), OTHER],
  ["a cluster", () => createCluster({ rootNodes: [{ socket: NODE }] }), OTHER],
  ["Sentinel", () => createSentinel({ name: "main", sentinelRootNodes: [NODE] }), OTHER],
  ["a pool", () => createClientPool(), OTHER],
  [
    "a client that is not connected",
    () => createClient(),
    "connected, got one that is not. Await `client.connect()` first.",
  ],
])("fromNodeRedis refuses %s with what it expected", (_, make, message) => {
  expect(() => fromNodeRedis(make() as NodeRedisClient)).toThrow(
    new TypeError(`${EXPECTED}, ${message}`),
  );
});

it("S11: a client with a key prefix, other types of replies or RESP2 has the same store", async () => {
  const server = await openServer();
  const eye = connect(server);
  const settings = [
    { keyPrefix: "mine:" },
    { keyPrefix: "types:", commandOptions: { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } } },
    { keyPrefix: "two:", RESP: 2 as const },
  ];
  for (const options of settings) {
    const client = await connectNodeRedis(server.url, options as object);
    onTestFinished(() => client.destroy());
    const store = await openRedisStore(fromNodeRedis(client));
    onTestFinished(() => store.close());
    const notified = Promise.withResolvers<void>();
    const { ready } = store.subscribe("a", () => notified.resolve());
    await ready;
    await store.createRun(createOf("a"));
    await notified.promise;
    expect(await store.getRun("a")).toMatchObject({ runId: "a", lastSequence: 0 });
    expect(await eye.exists(options.keyPrefix + runKeys("a").head)).toBe(1);
  }
});
