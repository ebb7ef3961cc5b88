import type { EtcdCluster } from "@tm/run-events-test-servers";
import { afterAll, beforeAll } from "vitest";
import { open, placeOn, startEtcd } from "./etcd-stores.ts";
import { itKeepsContract } from "./it-keeps-contract.ts";

let cluster: EtcdCluster;
beforeAll(async () => {
  cluster = await startEtcd();
});
afterAll(() => cluster.close());

itKeepsContract({
  name: "etcd on three nodes",
  profile: "quick",
  prepare: () => placeOn(cluster),
  open,
});
