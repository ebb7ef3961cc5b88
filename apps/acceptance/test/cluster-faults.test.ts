import { type RedisCluster, startRedisCluster } from "@tm/run-events-test-servers";
import { Redis } from "ioredis";
import { describe, expect, it, onTestFinished } from "vitest";
import { play } from "./play.ts";
import { CLIENTS, LONG_MS, startTwoServers, strikes } from "./two-servers.ts";

const PATIENCE = { timeout: 60_000 };

describe("two servers on one Redis Cluster", () => {
  /** Plays on two servers, and strikes their cluster three times. */
  async function playOnCluster(
    strike: (cluster: RedisCluster, index: number) => Promise<void>,
  ): Promise<void> {
    const cluster = await startRedisCluster({ replicas: 1 });
    onTestFinished(() => cluster.close());
    await play({
      servers: await startTwoServers(cluster.url),
      clients: CLIENTS,
      strikes: strikes(3, (index) => strike(cluster, index)),
    });
  }

  /** A client of one node, for the time of the call. */
  async function onNode<T>(
    cluster: RedisCluster,
    index: number,
    work: (node: Redis) => Promise<T>,
  ): Promise<T> {
    const { host, port } = cluster.nodes[index] ?? { host: "", port: 0 };
    const node = new Redis({ host, port });
    try {
      return await work(node);
    } finally {
      node.disconnect();
    }
  }

  it(
    "S7, S13: lose nothing when each master hands over to its replica",
    () =>
      playOnCluster(async (cluster, index) => {
        const replica = index + 3;
        await onNode(cluster, replica, (node) => node.cluster("FAILOVER"));
        await expect.poll(() => cluster.masters(), PATIENCE).toContain(replica);
      }),
    LONG_MS,
  );

  it(
    "S6, S7, S13: lose nothing that a replica has when a master is killed",
    () =>
      playOnCluster(async (cluster, index) => {
        await onNode(cluster, index, async (node) => {
          // Redis acknowledges before it replicates: what a replica does not have yet would be lost with the master.
          await node.client("PAUSE", 60_000, "WRITE");
          await expect
            .poll(async () => {
              const info = await node.info("replication");
              const [, head] = /master_repl_offset:(\d+)/.exec(info) ?? [];
              const [, replicated] = /slave0:.*offset=(\d+)/.exec(info) ?? [];
              return head !== undefined && head === replicated;
            }, PATIENCE)
            .toBe(true);
          await cluster.kill(index);
        });
        await expect.poll(() => cluster.masters(), PATIENCE).toContain(index + 3);
        await cluster.start(index);
      }),
    LONG_MS,
  );
});
