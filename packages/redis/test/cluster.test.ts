import {
  type RedisCluster,
  type RedisClusterOptions,
  startRedisCluster,
} from "@tm/run-events-test-servers";
import { Cluster, type Redis } from "ioredis";
import { Cluster as ValkeyCluster } from "iovalkey";
import { expect, it, onTestFinished, vi } from "vitest";
import { openRedisStore, type RedisStore, runsOf } from "./ruled-store.ts";
import { appendPatiently } from "./append-patiently.ts";
import { hasCaughtUp } from "./failover/lagging-replica.ts";
import { moveSlot, openSlot } from "./move-slot.ts";
import { connect, owned, runKeys } from "./opened.ts";
import {
  appendOf,
  claimed,
  claimOf,
  createOf,
  endOf,
  listIds,
  oneTo,
  readValues,
} from "@tm/run-events-test-servers/requests";

const PREFIX = "shards";
const RUN_IDS = oneTo(30).map((number) => `run-${number}`);

/** The two options in which a cluster's client takes a key prefix. */
interface KeyPrefixes {
  readonly keyPrefix?: string;
  readonly redisOptions?: { readonly keyPrefix?: string };
}

async function openCluster(options?: RedisClusterOptions): Promise<RedisCluster> {
  const cluster = await startRedisCluster(options);
  onTestFinished(() => cluster.close());
  return cluster;
}

async function openStore(
  { nodes }: RedisCluster,
  { keyPrefix = "", redisOptions = {} }: KeyPrefixes = {},
): Promise<{ readonly redis: Cluster; readonly store: RedisStore }> {
  const redis = owned(new Cluster([...nodes], { keyPrefix, redisOptions }));
  const store = await openRedisStore(redis, { prefix: PREFIX });
  onTestFinished(() => store.close());
  return { redis, store };
}

/** The number of shard channels that have subscribers on the nodes. */
async function countChannels(nodes: readonly Redis[]): Promise<number> {
  const channels = await Promise.all(nodes.map((node) => node.pubsub("SHARDCHANNELS")));
  return channels.reduce((sum, some) => sum + (some as unknown[]).length, 0);
}

/** Subscribes to runs, and counts the notifications of each. */
function listen(store: RedisStore, runIds: readonly string[]) {
  const counters = runIds.map((runId) => {
    const onNotification = vi.fn();
    return { onNotification, subscription: store.subscribe(runId, onNotification) };
  });
  return {
    ready: Promise.all(counters.map(({ subscription }) => subscription.ready)),
    async notifiesAll(work: () => Promise<unknown>) {
      const before = counters.map(({ onNotification }) => onNotification.mock.calls.length);
      await work();
      for (const [index, { onNotification }] of counters.entries()) {
        await vi.waitFor(
          () => expect(onNotification.mock.calls.length).toBeGreaterThan(before[index] ?? 0),
          20_000,
        );
      }
    },
    stop() {
      for (const { subscription } of counters) subscription.stop();
    },
  };
}

it("S2, S16: all that an owner's runs have is in one of 64 buckets, on one node, and another owner's is in its own", async () => {
  const cluster = await openCluster();
  const { store } = await openStore(cluster);
  const runs = RUN_IDS.flatMap((runId) =>
    ["ada", "tenant-1"].map((ownerId) => ({ runId, ownerId })),
  );
  const topic = { topic: "tea", exclusive: false };
  await Promise.all(runs.map((run) => store.createRun({ ...run, ...topic, metadata: "{}" })));
  await store.append(runs.map((run) => appendOf(run.runId, 1, { ...run, idempotencyKey: "k" })));
  const nodes = cluster.nodes.map((node) => connect(node));
  const found = await Promise.all(nodes.map((node) => node.keys(`${PREFIX}:{*}:*`)));
  for (const [ownerId, bucket] of [
    ["ada", "40"],
    ["tenant-1", "63"],
  ]) {
    const ofOwner = found.map((keys) => keys.filter((key) => key.endsWith(`:${ownerId}`)));
    // Of each run its head, events, receipts and metadata; the owner's list and the topic's.
    expect(ofOwner.map(({ length }) => length).toSorted((a, b) => a - b)).toEqual([
      0,
      0,
      4 * RUN_IDS.length + 2,
    ]);
    const buckets = ofOwner.flat().map((key) => /^[^{]*\{(\d+)\}/.exec(key)?.[1]);
    expect([...new Set(buckets)]).toEqual([bucket]);
  }
});

it("S1, S13, S23: after a failover the log continues, its commits notify, and expired leases are found", async () => {
  const cluster = await openCluster({ replicas: 1 });
  const { store } = await openStore(cluster);
  const { store: other } = await openStore(cluster);
  const runs = runsOf(other);
  await Promise.all(RUN_IDS.map((runId) => runs.create({ runId })));
  await other.append(RUN_IDS.map((runId) => appendOf(runId, 1)));
  const held = oneTo(10).map((number) => `held-${number}`);
  const fences = new Map<string, number>();
  for (const runId of held) {
    await runs.create({ runId });
    fences.set(runId, (await claimed(store, claimOf(runId, 1))).fence);
  }
  const counters = listen(store, RUN_IDS);
  await counters.ready;
  // Replicas lag: what they do not have is lost with their master.
  await Promise.all(cluster.nodes.slice(0, 3).map((node) => hasCaughtUp(connect(node))));
  // All these runs are of one owner, and so on one node.
  const [node] = cluster.nodes;
  const slot = node && (await connect(node).cluster("KEYSLOT", runKeys("run-1", PREFIX).head));
  const index = Math.floor((Number(slot) * 3) / 16_384);
  await cluster.kill(index);
  await counters.notifiesAll(() =>
    Promise.all(RUN_IDS.map((runId) => appendPatiently(runs, runId, 2))),
  );
  expect(await cluster.masters()).toContain(index + 3);
  await counters.notifiesAll(() => other.append(RUN_IDS.map((runId) => appendOf(runId, 3))));
  for (const runId of RUN_IDS) expect(await readValues(store, runId)).toEqual([1, 2, 3]);
  expect(await listIds(store, "running")).toHaveLength(RUN_IDS.length);
  const expired = await store.listDue({ due: "leased", forMs: 0, limit: 100 });
  expect(expired.map(({ runId }) => runId).toSorted()).toEqual(held.toSorted());
  for (const [runId, before] of fences) {
    expect((await claimed(other, claimOf(runId))).fence).toBeGreaterThan(before);
  }
  // And without the polls: the channels of the new master are subscribed.
  const living = cluster.nodes.filter((_, at) => at !== index).map((one) => connect(one));
  await expect.poll(() => countChannels(living), { timeout: 10_000 }).toBe(RUN_IDS.length);
  counters.stop();
});

it("S1, S2: while a run's slot moves to another node, its appends land once and in order", async () => {
  const cluster = await openCluster();
  const { store } = await openStore(cluster);
  const { store: other } = await openStore(cluster);
  await store.createRun(createOf("a"));
  const counters = listen(store, ["a"]);
  await counters.ready;
  let isMoving = true;
  const written = (async () => {
    let value = 0;
    do {
      const values = oneTo(5).map(() => ++value);
      await other.append(values.map((one) => appendOf("a", one)));
    } while (isMoving);
    return value;
  })();
  for (const _ of oneTo(4)) await moveSlot(cluster, runKeys("a", PREFIX).head);
  isMoving = false;
  const count = await written;
  expect(await readValues(store, "a")).toEqual(oneTo(count));
  // The client may have lost the channel with the slot: commits notify late then, until it is subscribed again.
  const nodes = cluster.nodes.map((node) => connect(node));
  await expect
    .poll(
      async () => {
        await counters.notifiesAll(() => other.append([appendOf("a")]));
        return countChannels(nodes);
      },
      { timeout: 20_000 },
    )
    .toBe(1);
  await counters.notifiesAll(() => other.append([endOf("a")]));
  counters.stop();
  expect(await store.deleteRun("a", "ada")).toBe("deleted");
});

it.each(["app:", "{app}:"])(
  "keys and channels stay together under the key prefix %s",
  async (keyPrefix) => {
    const cluster = await openCluster();
    const { redis, store } = await openStore(cluster, { keyPrefix });
    const { store: other } = await openStore(cluster, { redisOptions: { keyPrefix } });
    const counters = listen(store, RUN_IDS);
    await counters.ready;
    const nodes = cluster.nodes.map((node) => connect(node));
    await expect.poll(() => countChannels(nodes)).toBe(RUN_IDS.length);
    await counters.notifiesAll(() =>
      Promise.all(RUN_IDS.map((runId) => other.createRun(createOf(runId)))),
    );
    await counters.notifiesAll(() => other.append(RUN_IDS.map((runId) => appendOf(runId))));
    expect(await listIds(store, "running")).toHaveLength(RUN_IDS.length);
    expect(await redis.exists(runKeys("run-1", PREFIX).head)).toBe(1);
    const found = await Promise.all(nodes.map((node) => node.keys("*")));
    expect(found.flat().filter((key) => !key.startsWith(keyPrefix))).toEqual([]);
    counters.stop();
  },
);

it("S13: runs are polled over iovalkey, which cannot subscribe to shard channels", async () => {
  const cluster = await openCluster();
  const redis = owned(new ValkeyCluster([...cluster.nodes]));
  const store = await openRedisStore(redis, { prefix: PREFIX });
  const counters = listen(store, RUN_IDS);
  await counters.ready;
  await counters.notifiesAll(() =>
    Promise.all(RUN_IDS.map((runId) => store.createRun(createOf(runId)))),
  );
  await counters.notifiesAll(() => store.append(RUN_IDS.map((runId) => appendOf(runId))));
  counters.stop();
  await store.close();
});

it("S7, S20: a run that is not whole on one node is unavailable while its slot is open", async () => {
  const cluster = await openCluster();
  const redis = owned(
    new Cluster([...cluster.nodes], { maxRedirections: 3, retryDelayOnTryAgain: 10 }),
  );
  const store = await openRedisStore(redis, { prefix: PREFIX });
  await store.createRun(createOf("whole"));
  await store.append([appendOf("whole", 1, { idempotencyKey: "k" })]);
  await store.createRun(createOf("young"));
  const page = { ownerId: "ada", runId: "whole", since: 0, limit: 9, maxBytes: 1e6 };
  // All runs of an owner are in one slot.
  await openSlot(cluster, runKeys("whole", PREFIX).head);
  await store.append([appendOf("whole", 2, { idempotencyKey: "l" })]);
  expect(await store.inner.read([page])).toMatchObject([{ events: { length: 2 } }]);
  const moving = {
    code: "store_unavailable",
    message: "The Redis Cluster is moving the key: wait until its slot has moved.",
    retryable: true,
    cause: { message: expect.stringMatching(/ReplyError: (?:TRYAGAIN|ASK|MOVED)/) },
  };
  await expect(store.append([appendOf("young", 1)])).rejects.toMatchObject({
    ...moving,
    ambiguous: true,
  });
  await expect(store.createRun(createOf("new"))).rejects.toMatchObject(moving);
});

it("S20: a cluster with unassigned slots is unavailable", async () => {
  const cluster = await openCluster();
  const redis = owned(
    new Cluster([...cluster.nodes], { maxRedirections: 3, retryDelayOnClusterDown: 10 }),
  );
  const store = await openRedisStore(redis, { prefix: PREFIX });
  const nodes = cluster.nodes.map((node) => connect(node));
  const slot = Number(await nodes[0]?.cluster("KEYSLOT", runKeys("a", PREFIX).head));
  for (const node of nodes) await node.call("CLUSTER", "DELSLOTS", slot);
  await expect(store.getRun("a")).rejects.toMatchObject({
    message: "The Redis Cluster is down: check its nodes and its slots.",
    retryable: true,
  });
});

it("S20: one node that may evict runs is enough to refuse", async () => {
  const cluster = await openCluster();
  const [, second] = cluster.nodes;
  if (second !== undefined) await connect(second).config("SET", "maxmemory-policy", "allkeys-lfu");
  await expect(openStore(cluster)).rejects.toMatchObject({
    code: "store_unavailable",
    retryable: false,
    message: expect.stringContaining("allkeys-lfu"),
  });
});
