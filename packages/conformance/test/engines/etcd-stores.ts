import { createKvStore, type RunEventStore } from "@tm/run-events-core/store";
import { type EtcdCluster, startEtcdCluster } from "@tm/run-events-test-servers";
import { createEtcdEngine } from "../../examples/etcd-engine.ts";

/** A case of the kit sends 8 MiB at once, which etcd does not take by default. */
const LARGE = { mostOps: 128, mostBytes: 20_000_000 };

/** Stores on one cluster. */
export interface EtcdStores {
  readonly cluster: EtcdCluster;
  /** Returns a prefix of keys that no other store has. */
  prepare(): string;
  open(prefix: string): RunEventStore;
}

/** Starts the cluster; the caller closes it. */
export async function openEtcdStores(): Promise<EtcdStores> {
  const cluster = await startEtcdCluster(["--max-request-bytes", "33554432"]);
  let places = 0;
  return {
    cluster,
    prepare: () => `place-${places++}/`,
    open(prefix) {
      const engine = createEtcdEngine({ nodes: cluster.nodes, prefix, limits: LARGE });
      return createKvStore(engine, { durability: "power" });
    },
  };
}
