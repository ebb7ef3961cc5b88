import { Cluster, Redis } from "ioredis";
import { expect, it, onTestFinished } from "vitest";
import {
  startRedisCluster,
  startRedisSentinel,
  type RedisCluster,
  type RedisClusterOptions,
} from "../src/index.ts";
import { listens } from "../src/listens.ts";

it("a cluster has three masters that take every key between them, and keeps its data over a kill, and closes", async () => {
  const cluster = await open({ settings: ["--appendfsync", "always"] });
  expect(cluster.url).toBe(
    `redis+cluster://${cluster.nodes.map(({ port }) => `127.0.0.1:${port}`).join()}`,
  );
  expect(await cluster.masters()).toEqual([0, 1, 2]);
  const client = connect(cluster);
  // One key in each master's slots, and one more.
  const keys = ["a", "b", "c", "d"];
  await Promise.all(keys.map((key) => client.set(key, `value of ${key}`)));
  await cluster.kill(1);
  await cluster.start(1);
  for (const key of keys)
    await expect.poll(() => client.get(key), { timeout: 30_000 }).toBe(`value of ${key}`);
  await Promise.all([cluster.close(), cluster.close()]);
  for (const { port } of cluster.nodes) expect(await listens(port)).toBe(false);
});

it("a cluster's replica takes the place of a killed master", async () => {
  const cluster = await open({ replicas: 1 });
  expect(cluster.nodes).toHaveLength(6);
  expect(await cluster.masters()).toEqual([0, 1, 2]);
  await connect(cluster).set("a", "1");
  await cluster.kill(0);
  await expect.poll(() => cluster.masters(), { timeout: 30_000 }).toEqual([1, 2, 3]);
  await cluster.start(0);
  await expect.poll(() => cluster.masters(), { timeout: 30_000 }).toEqual([1, 2, 3]);
});

it("a sentinel puts the replica in a killed master's place", async () => {
  const sentinel = await startRedisSentinel();
  onTestFinished(() => sentinel.close());
  const client = new Redis({ sentinels: [...sentinel.sentinels], name: sentinel.name });
  // It finds the new master when it has lost the old one.
  client.on("error", () => {});
  onTestFinished(() => client.disconnect());
  await client.set("kept", "1");
  await client.wait(1, 0);
  const before = await client.config("GET", "port");
  await sentinel.killMaster();
  expect(await client.get("kept")).toBe("1");
  expect(await client.config("GET", "port")).not.toEqual(before);
  await client.set("kept", "2");
});

async function open(options: RedisClusterOptions): Promise<RedisCluster> {
  const cluster = await startRedisCluster(options);
  onTestFinished(() => cluster.close());
  return cluster;
}

function connect({ nodes }: RedisCluster): Cluster {
  const client = new Cluster([...nodes]);
  onTestFinished(() => client.disconnect());
  return client;
}
