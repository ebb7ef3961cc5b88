import { setTimeout } from "node:timers/promises";
import { type EtcdCluster, startEtcdCluster } from "@tm/run-events-test-servers";
import { createKvStore, type RunEventStore } from "@tm/run-events-core/store";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createEtcdEngine } from "../../examples/etcd-engine.ts";
import { testBridgedStore } from "./bridged-cases.ts";
import { type Race, startRace } from "./store-race.ts";

/** A case sends 8 MiB at once, which etcd does not take by default. */
const LARGE = { mostOps: 128, mostBytes: 20_000_000 };
/** How many appends have to be acknowledged before the next step of a race. */
const SOME = 50;
const STALL_MS = 6_000;

let cluster: EtcdCluster;
let places = 0;

beforeAll(async () => {
  cluster = await startEtcdCluster(["--max-request-bytes", "33554432"]);
});
afterAll(() => cluster.close());

function open(prefix: string, limits?: typeof LARGE): RunEventStore {
  const engine = createEtcdEngine({ nodes: cluster.nodes, prefix, ...(limits && { limits }) });
  return createKvStore(engine, { durability: "power" });
}

testBridgedStore(
  "etcd on three nodes",
  {
    prepare: async () => `place-${places++}/`,
    open: async (prefix: string) => open(prefix, LARGE),
    destroy: async () => {},
  },
  "quick",
);

/** Waits until more appends have been acknowledged. */
async function untilMore(race: Race): Promise<void> {
  const least = race.acknowledged() + SOME;
  while (race.acknowledged() < least) await setTimeout(10);
}

async function raceThrough(faults: (race: Race) => Promise<void>): Promise<void> {
  const prefix = `place-${places++}/`;
  const stores = [open(prefix), open(prefix)];
  const race = await startRace(stores);
  await untilMore(race);
  await faults(race);
  await untilMore(race);
  const report = await race.stop();
  await Promise.all(stores.map((store) => store.close()));
  expect(report.faults).toEqual([]);
}

it("S6 when the leader is killed, and comes back, what was acknowledged is there once and in order", async () => {
  await raceThrough(async (race) => {
    for (let times = 0; times < 3; times++) {
      const leader = await cluster.leader();
      await cluster.kill(leader);
      await untilMore(race);
      await cluster.start(leader);
    }
  });
}, 180_000);

it("S6 when the leader stands still for 6 s, and goes on, what was acknowledged is there once and in order", async () => {
  await raceThrough(async (race) => {
    const leader = await cluster.leader();
    cluster.stall(leader);
    await setTimeout(STALL_MS);
    await untilMore(race);
    cluster.resume(leader);
  });
}, 180_000);
