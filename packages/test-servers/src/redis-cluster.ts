import { HOST } from "./free-port.ts";
import { askRedis } from "./redis-command.ts";
import { startRedis, type RedisOptions, type RedisServer } from "./redis.ts";
import { waitUntil } from "./wait-until.ts";

/** Options for starting a Redis Cluster. */
export interface RedisClusterOptions extends RedisOptions {
  /** The number of replicas of each master. Default 0. */
  readonly replicas?: 0 | 1;
}

/** A Redis Cluster of its own with three masters. A node that is silent for 1.5 s counts as failed. */
export interface RedisCluster {
  /** The masters of the start, then the replica of each in the same order. */
  readonly nodes: readonly { readonly host: string; readonly port: number }[];
  /** `redis+cluster://127.0.0.1:PORT,127.0.0.1:PORT,127.0.0.1:PORT`: the masters of the start. */
  readonly url: string;
  /** SIGKILL to one node. Resolves once it is gone. */
  kill(index: number): Promise<void>;
  /** Starts a node again on its port and data. When the others see it is for `masters` to tell. */
  start(index: number): Promise<void>;
  /** The indexes of the nodes that every living node takes for a working master with slots, ascending. */
  masters(): Promise<readonly number[]>;
  /** Ends all nodes and deletes their folders. Idempotent. */
  close(): Promise<void>;
}

const MASTERS = 3;
const SLOTS = 16_384;

const CLUSTER_SETTINGS = [
  ["--cluster-enabled", "yes"],
  ["--cluster-node-timeout", "1500"],
  // Else a master waits five seconds for more replicas before it sends its data to one.
  ["--repl-diskless-sync-delay", "0"],
].flat();

/**
 * Starts a cluster on free ports of 127.0.0.1 and waits until every node finds it whole and every
 * replica follows its master.
 *
 * @throws Error with what a node said, if it does not start
 */
export async function startRedisCluster({
  replicas = 0,
  settings = [],
  ...options
}: RedisClusterOptions = {}): Promise<RedisCluster> {
  const nodes = await startAll(MASTERS * (1 + replicas), {
    ...options,
    settings: [...CLUSTER_SETTINGS, ...settings],
  });
  try {
    await join(nodes);
  } catch (error) {
    await closeAll(nodes);
    throw error;
  }
  const node = (index: number): RedisServer => {
    const found = nodes[index];
    if (found === undefined) throw new TypeError(`There is no node ${index}.`);
    return found;
  };
  return {
    nodes: nodes.map(({ host, port }) => ({ host, port })),
    url: `redis+cluster://${nodes
      .slice(0, MASTERS)
      .map(({ port }) => `${HOST}:${port}`)
      .join()}`,
    kill: async (index) => node(index).kill(),
    start: async (index) => node(index).start(),
    async masters() {
      const living = nodes.filter(({ running }) => running);
      const views = await Promise.all(living.map(({ port }) => seeMasters(port)));
      return nodes.flatMap(({ port }, index) =>
        views.every((view) => view.includes(port)) ? [index] : [],
      );
    },
    close: () => closeAll(nodes),
  };
}

async function startAll(count: number, options: RedisOptions): Promise<readonly RedisServer[]> {
  const starts = await Promise.allSettled(Array.from({ length: count }, () => startRedis(options)));
  const nodes = starts.flatMap((start) => (start.status === "fulfilled" ? [start.value] : []));
  const failed = starts.find((start) => start.status === "rejected");
  if (failed === undefined) return nodes;
  await closeAll(nodes);
  throw failed.reason;
}

async function closeAll(nodes: readonly RedisServer[]): Promise<void> {
  await Promise.all(nodes.map((node) => node.close()));
}

async function join(nodes: readonly RedisServer[]): Promise<void> {
  const masters = nodes.slice(0, MASTERS);
  await Promise.all(
    nodes.map(async ({ port }, index) => {
      // Without epochs of their own, nodes settle conflicts at random, and later. Only a node that knows no other takes one.
      await askRedis(port, "CLUSTER", "SET-CONFIG-EPOCH", index + 1);
      if (index >= MASTERS) return;
      const nextSlot = firstSlot(index + 1);
      await askRedis(port, "CLUSTER", "ADDSLOTSRANGE", firstSlot(index), nextSlot - 1);
    }),
  );
  await Promise.all(
    nodes.flatMap(({ port }, index) =>
      nodes
        .slice(index + 1)
        .map((other) => askRedis(port, "CLUSTER", "MEET", other.host, other.port)),
    ),
  );
  await waitUntil("every node of the cluster knows all", () =>
    every(nodes, async ({ port }) => (await seeNodes(port)).length === nodes.length),
  );
  await Promise.all(
    nodes.slice(MASTERS).map(async ({ port }, index) => {
      const master = masters[index];
      if (master === undefined) return;
      await askRedis(port, "CLUSTER", "REPLICATE", await askRedis(master.port, "CLUSTER", "MYID"));
    }),
  );
  await waitUntil("every node finds the cluster whole", () =>
    every(
      nodes,
      async ({ port }) =>
        (await askRedis(port, "CLUSTER", "INFO")).includes("cluster_state:ok") &&
        (await seeMasters(port)).length === MASTERS &&
        (await seeNodes(port)).filter(({ flags }) => flags.includes("slave")).length ===
          nodes.length - MASTERS,
    ),
  );
  await waitUntil("every replica follows its master", () =>
    every(nodes.slice(MASTERS), async ({ port }) =>
      (await askRedis(port, "INFO", "replication")).includes("master_link_status:up"),
    ),
  );
}

function firstSlot(index: number): number {
  return Math.ceil((index * SLOTS) / MASTERS);
}

interface SeenNode {
  readonly port: number;
  readonly flags: readonly string[];
  readonly hasSlots: boolean;
}

/** The ports of the working masters with slots, as one node sees them. */
async function seeMasters(port: number): Promise<readonly number[]> {
  return (await seeNodes(port))
    .filter(
      ({ flags, hasSlots }) =>
        hasSlots && flags.includes("master") && !flags.some((flag) => flag.startsWith("fail")),
    )
    .map((node) => node.port);
}

/** The nodes that one of them knows by name. A line is: id, host:port@bus, flags, master, sent, received, epoch, link, slots. */
async function seeNodes(port: number): Promise<readonly SeenNode[]> {
  const lines = (await askRedis(port, "CLUSTER", "NODES")).trim().split("\n");
  const nodes = lines.map((line) => {
    const [, address = "", flags = "", , , , , , ...slots] = line.split(" ");
    return {
      port: Number(/:(\d+)/.exec(address)?.[1]),
      flags: flags.split(","),
      hasSlots: slots.length > 0,
    };
  });
  return nodes.filter(({ flags }) => !flags.includes("handshake"));
}

async function every<T>(
  items: readonly T[],
  isSo: (item: T) => Promise<boolean>,
): Promise<boolean> {
  return (await Promise.all(items.map(isSo))).every(Boolean);
}
