import { startEtcdCluster } from "@tm/run-events-test-servers";
import { createKvStore } from "../../../core/src/store/kv/kv-store.ts";
import { createEtcdEngine } from "../../examples/etcd-engine.ts";
import { bridgedDoors } from "./bridged-doors.ts";
import { judge } from "./judge.ts";

const cluster = await startEtcdCluster(
  process.env["LARGE"] === "1" ? ["--max-request-bytes", "33554432"] : [],
);
process.once("exit", () => void cluster.close());
let place = 0;
const doors = bridgedDoors({
  prepare: async () => `place-${place++}/`,
  open: async (prefix: string) =>
    createKvStore(
      createEtcdEngine({
        nodes: cluster.nodes,
        prefix,
        ...(process.env["LARGE"] === "1" && { limits: { mostOps: 128, mostBytes: 20_000_000 } }),
      }),
      { durability: "power" },
    ),
  destroy: async () => {},
});
await judge(
  "etcd",
  undefined as never,
  doors,
  process.argv[2] ? new RegExp(process.argv[2]) : undefined,
);
