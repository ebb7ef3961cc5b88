import { setTimeout as pass } from "node:timers/promises";
import {
  type RedisCluster,
  startRedis,
  startRedisCluster,
  startTcpProxy,
} from "@tm/run-events-test-servers";
import { Redis } from "ioredis";
import { describe, expect, it, onTestFinished } from "vitest";
import { play } from "./play.ts";
import { CLIENTS, LONG_MS, startTwoServers, strikes } from "./two-servers.ts";

const STALL_MS = 5_000;
const PATIENCE = { timeout: 60_000 };

describe("two servers on one Redis", () => {
  async function open() {
    const redis = await startRedis({ settings: ["--appendfsync", "always"] });
    onTestFinished(() => redis.close());
    const proxy = await startTcpProxy({ to: redis });
    onTestFinished(() => proxy.close());
    const servers = await startTwoServers(`redis://${proxy.host}:${proxy.port}`);
    return { redis, proxy, servers };
  }

  it(
    "S1, S2, S7: survive their own kills",
    async () => {
      const { servers } = await open();
      await play({
        servers,
        clients: CLIENTS,
        strikes: strikes(6, async (index) => servers[index % 2]?.crash()),
      });
    },
    LONG_MS,
  );

  it(
    "S6, S7, S13: lose nothing acknowledged when Redis is killed and comes back",
    async () => {
      const { servers, redis } = await open();
      await play({
        servers,
        clients: CLIENTS,
        strikes: strikes(4, async () => {
          await redis.kill();
          await redis.start();
        }),
      });
    },
    LONG_MS,
  );

  it(
    "S13, S14: are woken again when the connections that subscribe are cut alone",
    async () => {
      const { servers, proxy } = await open();
      const subscribed = () =>
        proxy.connections().filter((one) => one.hasSent("subscribe") || one.hasSent("SUBSCRIBE"));
      await play({
        servers,
        clients: CLIENTS,
        strikes: strikes(4, async () => {
          await expect.poll(() => subscribed().length, PATIENCE).toBe(servers.length);
          for (const connection of subscribed()) connection.cut();
        }),
      });
    },
    LONG_MS,
  );

  it(
    "S15: need no message at all",
    async () => {
      const { servers, proxy } = await open();
      proxy.dropNotifications("redis");
      await play({ servers, clients: CLIENTS, strikes: [] });
    },
    LONG_MS,
  );

  it(
    "S7, S13: go on after a network that stood still",
    async () => {
      const { servers, proxy } = await open();
      await play({
        servers,
        clients: CLIENTS,
        strikes: strikes(2, async () => {
          proxy.stall();
          // The fault itself takes that long: nothing is waited for.
          await pass(STALL_MS);
          proxy.resume();
        }),
      });
    },
    LONG_MS,
  );
});

describe("two servers on one Redis Cluster", () => {
  async function open() {
    const cluster = await startRedisCluster({ replicas: 1 });
    onTestFinished(() => cluster.close());
    return { cluster, servers: await startTwoServers(cluster.url) };
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
    async () => {
      const { cluster, servers } = await open();
      await play({
        servers,
        clients: CLIENTS,
        strikes: strikes(3, async (index) => {
          const replica = index + 3;
          await onNode(cluster, replica, (node) => node.cluster("FAILOVER"));
          await expect.poll(() => cluster.masters(), PATIENCE).toContain(replica);
        }),
      });
    },
    LONG_MS,
  );

  it(
    "S6, S7, S13: lose nothing that a replica has when a master is killed",
    async () => {
      const { cluster, servers } = await open();
      await play({
        servers,
        clients: CLIENTS,
        strikes: strikes(3, async (index) => {
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
      });
    },
    LONG_MS,
  );
});
