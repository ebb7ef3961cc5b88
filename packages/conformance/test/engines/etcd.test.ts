import { afterAll, beforeAll } from "vitest";
import { type EtcdStores, openEtcdStores } from "./etcd-stores.ts";
import { itKeepsContract } from "./it-keeps-contract.ts";

let etcd: EtcdStores;
beforeAll(async () => {
  etcd = await openEtcdStores();
});
afterAll(() => etcd.cluster.close());

itKeepsContract({
  name: "etcd on three nodes",
  profile: "quick",
  prepare: () => etcd.prepare(),
  open: (place) => etcd.open(place),
});
