import type { RedisCluster } from "@tm/run-events-test-servers";
import type { Redis } from "ioredis";
import { connect } from "./opened.ts";

/** Moves a key's slot to the next master, one key after the other, as an administrator does. */
export async function moveSlot(cluster: RedisCluster, key: string): Promise<void> {
  const { source, target, address, slot, toId, nodes } = await openSlot(cluster, key);
  for (;;) {
    const keys = (await source.call("CLUSTER", "GETKEYSINSLOT", slot, 1)) as string[];
    if (keys[0] === undefined) break;
    await source.call("MIGRATE", address.host, address.port, keys[0], 0, 5_000);
  }
  for (const node of [target, source, ...nodes]) {
    await node.call("CLUSTER", "SETSLOT", slot, "NODE", toId);
  }
  for (const node of nodes) node.disconnect();
}

/** A slot whose keys are about to move, and the nodes that it moves between. */
interface OpenedSlot {
  readonly slot: number;
  readonly source: Redis;
  readonly target: Redis;
  readonly address: { readonly host: string; readonly port: number };
  readonly toId: string;
  readonly nodes: readonly Redis[];
}

/** Begins to move a key's slot to the next master, and moves no key yet. */
export async function openSlot(cluster: RedisCluster, key: string): Promise<OpenedSlot> {
  const nodes = cluster.nodes.map((node) => connect(node));
  const [first] = nodes;
  if (first === undefined) throw new TypeError("Expected a cluster to have nodes.");
  const slot = Number(await first.cluster("KEYSLOT", key));
  const ids = await Promise.all(nodes.map((node) => node.cluster("MYID") as Promise<string>));
  const ranges = await first.cluster("SLOTS");
  const ownerId = ranges.find(([from, to]) => from <= slot && slot <= to)?.[2]?.[2] ?? "";
  const from = ids.indexOf(ownerId);
  const to = (from + 1) % nodes.length;
  const [source, target] = [nodes[from], nodes[to]];
  const [fromId = "", toId = "", address] = [ids[from], ids[to], cluster.nodes[to]];
  if (source === undefined || target === undefined || address === undefined) {
    throw new TypeError("Expected the slot to have an owner.");
  }
  await target.call("CLUSTER", "SETSLOT", slot, "IMPORTING", fromId);
  await source.call("CLUSTER", "SETSLOT", slot, "MIGRATING", toId);
  return { slot, source, target, address, toId, nodes };
}
