import { testEventStore } from "@tm/run-events-conformance/vitest";
import { afterAll, beforeAll } from "vitest";
import { type EtcdStores, openEtcdStores } from "./etcd-stores.ts";

let etcd: EtcdStores;
beforeAll(async () => {
  etcd = await openEtcdStores();
});
afterAll(() => etcd.cluster.close());

testEventStore({
  name: "etcd on three nodes",
  profile: "quick",
  prepare: () => etcd.prepare(),
  open: (place) => etcd.open(place),
});
