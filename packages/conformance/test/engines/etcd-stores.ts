// Also the module that the kit's processes load.
import { createKvStore, type RunEventStore } from "@tm/run-events-core/store";
import { type EtcdCluster, startEtcdCluster } from "@tm/run-events-test-servers";
import { createEtcdEngine } from "../../examples/etcd-engine.ts";

/** A case of the kit sends 8 MiB at once, which etcd does not take by default. */
const LARGE = { mostOps: 128, mostBytes: 20_000_000 };

/** A store on a cluster: its keys have a prefix that no other store has. */
export interface EtcdPlace {
  readonly nodes: readonly string[];
  readonly prefix: string;
}

/** Starts the cluster; the caller closes it. */
export function startEtcd(): Promise<EtcdCluster> {
  return startEtcdCluster(["--max-request-bytes", "33554432"]);
}

export function placeOn({ nodes }: EtcdCluster): EtcdPlace {
  return { nodes, prefix: `place-${crypto.randomUUID()}/` };
}

export function open(place: EtcdPlace): RunEventStore {
  return createKvStore(createEtcdEngine({ ...place, limits: LARGE }), { durability: "power" });
}
