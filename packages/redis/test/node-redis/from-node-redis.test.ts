import { createOf } from "@tm/run-events-test-servers/requests";
import { createClient, createClientPool, createCluster, createSentinel, RESP_TYPES } from "redis";
import { expect, it, onTestFinished } from "vitest";
import { openRedisStore } from "../ruled-store.ts";
import { fromNodeRedis, type NodeRedisClient } from "../../src/node-redis/index.ts";
import { connect, openServer, runKeys } from "../opened.ts";
import { connectNodeRedis } from "./node-redis-doors.ts";

const NODE = { host: "127.0.0.1", port: 1 };

it.each<[string, () => unknown, string]>([
  ["nothing", () => undefined, "undefined"],
  ["null", () => null, "null"],
  ["a URL", () => "redis://:hunter2@127.0.0.1", "a text"],
  ["a promise", () => Promise.resolve(), "a promise"],
  ["another object", () => ({}), "an object"],
  ["a cluster", () => createCluster({ rootNodes: [{ socket: NODE }] }), "an object"],
  ["Sentinel", () => createSentinel({ name: "main", sentinelRootNodes: [NODE] }), "an object"],
  ["a pool", () => createClientPool(), "an object"],
  ["a client that is not connected", () => createClient(), "one that is not connected"],
])("fromNodeRedis refuses %s with what it expected", (_, make, came) => {
  const create = (): unknown => fromNodeRedis(make() as NodeRedisClient);
  expect(create).toThrow(TypeError);
  expect(create).toThrow(/^Expected a connected client of one server.*pass a client of ioredis/);
  expect(create).toThrow(new RegExp(`Got ${came}\\.$`));
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
