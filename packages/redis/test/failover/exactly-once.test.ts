import type { RunEventStore } from "@tm/run-events-core/store";
import {
  type RedisCluster,
  startRedisCluster,
  startRedisSentinel,
} from "@tm/run-events-test-servers";
import { playFailover } from "@tm/run-events-test-servers/failover";
import { Cluster, Redis } from "ioredis";
import { describe, expect, it, onTestFinished } from "vitest";
import { openRedisStore, type RedisClient, type RedisClusterClient } from "../../src/index.ts";
import { moveSlot } from "../move-slot.ts";
import { connect, owned, runKeys } from "../opened.ts";
import { countRefusals, hasCaughtUp, lead, openReplicated } from "./lagging-replica.ts";

/*
 * Redis replicates after its acknowledgements, so a failover may lose what was acknowledged, and no store can prevent it. These
 * tests only leave out that loss: before a master ends, it holds writes back (`CLIENT PAUSE … WRITE`) until its replica has all
 * that it has acknowledged. Writes that are sent meanwhile are in doubt, and in flight when the master ends.
 */

/** A failover is compared with what was acknowledged, so that a crash alone may lose nothing of it. */
const SETTINGS = ["--appendfsync", "always"];
const PATIENCE = { timeout: 30_000 };

/** The README's setting for a host name that moves. */
const LEAVES_REPLICAS = {
  reconnectOnError: ({ message }: Error) => message.startsWith("READONLY"),
};

async function openOn(redis: RedisClient | RedisClusterClient): Promise<RunEventStore> {
  const store = await openRedisStore(redis);
  onTestFinished(() => store.close());
  return store;
}

/** Holds writes back until the master's replica has all that was acknowledged; they stay held until `CLIENT UNPAUSE`. */
async function holdWrites(master: Redis): Promise<void> {
  await master.call("CLIENT", "PAUSE", 60_000, "WRITE");
  await hasCaughtUp(master);
}

describe("S1-S10, S21: over a host name, each answer is explained by one order of the calls", () => {
  it("while a name leads to a replica that lags, and back, with answers lost", async () => {
    const servers = await openReplicated(SETTINGS);
    const { master, replica, name, eye, catchUp, lag, followOn } = servers;
    const there = connect(replica);
    const marker = connect(name, LEAVES_REPLICAS);
    await playFailover({
      open: () => openOn(connect(name, LEAVES_REPLICAS)),
      async fail() {
        await catchUp();
        lag();
        name.stallAnswers();
        // Requests still pass. Once this one has landed, so have the appends that were on their way, and their answers are lost.
        marker.set("mark", "").catch(() => {});
        await expect.poll(() => eye.exists("mark"), PATIENCE).toBe(1);
        lead(name, replica);
        await expect.poll(() => countRefusals(there), PATIENCE).toBeGreaterThan(1);
        lead(name, master);
        followOn();
      },
    });
  });

  it("while master and replica of a name change places, and back, and the old connections stay", async () => {
    const { master, replica, name, eye } = await openReplicated(SETTINGS);
    const there = connect(replica);
    await playFailover({
      open: () => openOn(connect(name, LEAVES_REPLICAS)),
      async fail() {
        for (const [from, to, target] of [
          [eye, there, replica],
          [there, eye, master],
        ] as const) {
          await expect.poll(() => from.info("replication"), PATIENCE).toContain("state=online");
          await holdWrites(from);
          await to.replicaof("NO", "ONE");
          await from.replicaof(target.host, target.port);
          name.moveTo(target);
          await from.call("CLIENT", "UNPAUSE");
        }
      },
    });
  });

  it("when the master of a name is killed and its replica takes its place", async () => {
    const { master, replica, name, eye } = await openReplicated(SETTINGS);
    await playFailover({
      open: () => openOn(connect(name, LEAVES_REPLICAS)),
      async fail() {
        await holdWrites(eye);
        await master.kill();
        await connect(replica).replicaof("NO", "ONE");
        lead(name, replica);
      },
    });
  });
});

describe("S1-S10, S21: with Sentinel and in a cluster, each answer is explained by one order of the calls", () => {
  it("when Sentinel promotes the replica of a killed master", async () => {
    const sentinel = await startRedisSentinel(SETTINGS);
    onTestFinished(() => sentinel.close());
    const connectTo = (): Redis =>
      owned(
        new Redis({
          sentinels: [...sentinel.sentinels],
          name: sentinel.name,
          sentinelRetryStrategy: () => 50,
          retryStrategy: () => 10,
        }),
      );
    await playFailover({
      open: () => openOn(connectTo()),
      async fail() {
        await holdWrites(connectTo());
        await sentinel.killMaster();
      },
    });
  });

  it("while the slot of a cluster's runs moves to another node, key by key", async () => {
    const cluster = await openCluster();
    await playFailover({
      open: () => openOn(owned(new Cluster([...cluster.nodes]))),
      // All runs of the play are of one owner, and so in one slot.
      fail: () => moveSlot(cluster, runKeys("a").head),
    });
  });

  it("when a master of a cluster is killed and its replica takes its place", async () => {
    const cluster = await openCluster(1);
    const nodes = cluster.nodes.map((node) => connect(node));
    const slot = Number(await nodes[0]?.cluster("KEYSLOT", runKeys("a").head));
    const index = Math.floor((slot * 3) / 16_384);
    const [doomed] = nodes.slice(index);
    if (doomed === undefined) throw new TypeError("Expected the slot to have a master.");
    await playFailover({
      open: () => openOn(owned(new Cluster([...cluster.nodes]))),
      async fail() {
        await holdWrites(doomed);
        await cluster.kill(index);
        await expect.poll(() => cluster.masters(), PATIENCE).toContain(index + 3);
      },
    });
  });
});

async function openCluster(replicas: 0 | 1 = 0): Promise<RedisCluster> {
  const cluster = await startRedisCluster({ replicas, settings: SETTINGS });
  onTestFinished(() => cluster.close());
  return cluster;
}
