import { setTimeout } from "node:timers/promises";
import {
  type CrashHooks,
  type ProcessConformanceOptions,
  runProcessConformance,
} from "@tm/run-events-conformance/processes";
import type { EtcdCluster } from "@tm/run-events-test-servers";
import { afterAll, beforeAll, describe, it } from "vitest";
import { EXEC_ARGV } from "../processes/remote-doors.ts";
import { type EtcdPlace, placeOn, startEtcd } from "./etcd-stores.ts";

/** Longer than an election takes, and than the store's clock takes a process for gone. */
const STALL_MS = 6_000;

let cluster: EtcdCluster;
let leader = 0;
beforeAll(async () => {
  cluster = await startEtcd();
});
afterAll(() => cluster.close());

const CRASHES: Readonly<Record<string, CrashHooks>> = {
  "is killed, and comes back after the election": {
    async kill() {
      leader = await cluster.leader();
      await cluster.kill(leader);
    },
    async restart() {
      await cluster.leader();
      await cluster.start(leader);
    },
  },
  "stands still for 6 s, and goes on": {
    async kill() {
      leader = await cluster.leader();
      cluster.stall(leader);
    },
    async restart() {
      await setTimeout(STALL_MS);
      cluster.resume(leader);
    },
  },
};

const OPTIONS: ProcessConformanceOptions<EtcdPlace> = {
  name: "etcd on three nodes",
  module: new URL("etcd-stores.ts", import.meta.url),
  prepare: () => placeOn(cluster),
  execArgv: EXEC_ARGV,
};

describe.each(Object.entries(CRASHES))("etcd, whose leader %s", (_, crash) => {
  const cases = runProcessConformance({ ...OPTIONS, crash });
  const ofServer = cases.filter(({ name }) => name.includes("after the server crashed"));
  for (const { name, run, timeoutMs } of ofServer) it(name, run, timeoutMs);
});

describe("etcd, which has no clock", () => {
  const cases = runProcessConformance({
    ...OPTIONS,
    network: {
      server: ({ nodes: [node = ""] }) => ({
        host: new URL(node).hostname,
        port: Number(new URL(node).port),
      }),
      through: (place, { host, port }) => ({ ...place, nodes: [`http://${host}:${port}`] }),
    },
  });
  const ofClocks = cases.filter(({ name }) => name.startsWith("S24 "));
  for (const { name, run, timeoutMs } of ofClocks) it(name, run, timeoutMs);
});
