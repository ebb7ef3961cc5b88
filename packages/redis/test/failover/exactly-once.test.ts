import {
  type ExactlyOnce,
  type RedisCluster,
  startExactlyOnce,
  startRedisCluster,
  startRedisSentinel,
} from "@tm/run-events-test-servers";
import { Cluster, Redis } from "ioredis";
import { describe, expect, it, onTestFinished } from "vitest";
import { type RedisClient, type RedisClusterClient } from "../../src/index.ts";
import { openRedisStore } from "../../src/index.ts";
import { moveSlot } from "../move-slot.ts";
import { connect, owned, runKeys } from "../opened.ts";
import { countRefusals, hasCaughtUp, lead, openReplicated } from "./lagging-replica.ts";

/*
 * Redis replicates after its acknowledgements, so a failover may lose what was acknowledged, and no store can prevent it. These
 * tests only leave out that loss: before a master ends, it holds writes back (`CLIENT PAUSE … WRITE`) until its replica has all
 * that it has acknowledged. Writes that are sent meanwhile are in doubt, and in flight when the master ends.
 */

const EVENTS = 60;
const PATIENCE = { timeout: 30_000 };
const RUN_IDS = ["keyed", "counted", "held-1", "held-2"];

/** The README's setting for a host name that moves. */
const LEAVES_REPLICAS = {
  reconnectOnError: ({ message }: Error) => message.startsWith("READONLY"),
};

async function play(open: () => RedisClient | RedisClusterClient): Promise<ExactlyOnce> {
  const [first, second] = await Promise.all([openRedisStore(open()), openRedisStore(open())]);
  for (const store of [first, second]) onTestFinished(() => store.close());
  return startExactlyOnce({ stores: [first, second] });
}

/** Holds writes back until the master's replica has all that was acknowledged; they stay held until `CLIENT UNPAUSE`. */
async function holdWrites(master: Redis): Promise<void> {
  await master.call("CLIENT", "PAUSE", 60_000, "WRITE");
  await hasCaughtUp(master);
}

describe("S1-S10, W31, W32: over a host name, each acknowledged event is there once, at its sequence, without false refusals and false ends", () => {
  it("while a name leads to a replica that lags, and back, with answers lost each time", async () => {
    const { master, replica, name, eye, catchUp, lag, followOn } = await openReplicated();
    const there = connect(replica);
    const marker = connect(name, LEAVES_REPLICAS);
    const once = await play(() => connect(name, LEAVES_REPLICAS));
    for (const refusals of [5, 10, 15]) {
      await once.advance(EVENTS);
      await catchUp();
      lag();
      name.stallAnswers();
      // Requests still pass. Once this one has landed, so have the appends that were on their way, and their answers are lost.
      const mark = `mark-${refusals}`;
      marker.set(mark, "").catch(() => {});
      await expect.poll(() => eye.exists(mark), PATIENCE).toBe(1);
      lead(name, replica);
      await expect.poll(() => countRefusals(there), PATIENCE).toBeGreaterThan(refusals);
      lead(name, master);
      followOn();
    }
    await once.advance(EVENTS);
    await once.finish();
  });

  it("while master and replica of a name change places, and back, and the old connections stay", async () => {
    const { master, replica, name, eye } = await openReplicated();
    const there = connect(replica);
    const once = await play(() => connect(name, LEAVES_REPLICAS));
    for (const [from, to, target] of [
      [eye, there, replica],
      [there, eye, master],
    ] as const) {
      await once.advance(EVENTS);
      await expect.poll(() => from.info("replication"), PATIENCE).toContain("state=online");
      await holdWrites(from);
      await to.replicaof("NO", "ONE");
      await from.replicaof(target.host, target.port);
      name.moveTo(target);
      await from.call("CLIENT", "UNPAUSE");
    }
    await once.advance(EVENTS);
    await once.finish();
  });

  it("when the master of a name is killed and its replica takes its place", async () => {
    const { master, replica, name, eye } = await openReplicated();
    const once = await play(() => connect(name, LEAVES_REPLICAS));
    await once.advance(EVENTS);
    await holdWrites(eye);
    await master.kill();
    await connect(replica).replicaof("NO", "ONE");
    lead(name, replica);
    await once.advance(EVENTS);
    await once.finish();
  });
});

describe("S1-S10, W31, W32: with Sentinel and in a cluster, each acknowledged event is there once, at its sequence, without false refusals and false ends", () => {
  it("when Sentinel promotes the replica of a killed master", async () => {
    const sentinel = await startRedisSentinel();
    onTestFinished(() => sentinel.close());
    const open = (): Redis =>
      owned(
        new Redis({
          sentinels: [...sentinel.sentinels],
          name: sentinel.name,
          sentinelRetryStrategy: () => 50,
          retryStrategy: () => 10,
        }),
      );
    const once = await play(open);
    await once.advance(EVENTS);
    await holdWrites(open());
    await sentinel.killMaster();
    await once.advance(EVENTS);
    await once.finish();
  });

  it("while the slot of a cluster's runs moves to other nodes, key by key", async () => {
    const cluster = await openCluster();
    const once = await play(() => owned(new Cluster([...cluster.nodes])));
    // All runs of the play are of one owner, and so in one slot.
    for (const runId of RUN_IDS) {
      await moveSlot(cluster, runKeys(runId).head);
      await once.advance(EVENTS / 4);
    }
    await once.finish();
  });

  it("when a master of a cluster is killed and its replica takes its place", async () => {
    const cluster = await openCluster(1);
    const once = await play(() => owned(new Cluster([...cluster.nodes])));
    await once.advance(EVENTS);
    const nodes = cluster.nodes.map((node) => connect(node));
    const slot = Number(await nodes[0]?.cluster("KEYSLOT", runKeys("keyed").head));
    const index = Math.floor((slot * 3) / 16_384);
    const [doomed] = nodes.slice(index);
    if (doomed === undefined) throw new TypeError("Expected the slot to have a master.");
    await holdWrites(doomed);
    await cluster.kill(index);
    await expect.poll(() => cluster.masters(), PATIENCE).toContain(index + 3);
    await once.advance(EVENTS);
    await once.finish();
  });
});

async function openCluster(replicas: 0 | 1 = 0): Promise<RedisCluster> {
  const cluster = await startRedisCluster({ replicas });
  onTestFinished(() => cluster.close());
  return cluster;
}
