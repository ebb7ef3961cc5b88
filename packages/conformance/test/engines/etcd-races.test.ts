import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type EtcdStores, openEtcdStores } from "./etcd-stores.ts";
import { type Race, startRace } from "./store-race.ts";

/** The number of appends that have to be acknowledged before the next step of a race. */
const SOME = 50;
/** Longer than an election takes, and than the store's clock takes a process for gone. */
const STALL_MS = 6_000;

let etcd: EtcdStores;
beforeAll(async () => {
  etcd = await openEtcdStores();
});
afterAll(() => etcd.cluster.close());

async function raceThrough(faults: (race: Race) => Promise<void>): Promise<void> {
  const prefix = etcd.prepare();
  const stores = [etcd.open(prefix), etcd.open(prefix)];
  const race = await startRace(stores);
  await race.until(SOME);
  await faults(race);
  await race.until(SOME);
  const report = await race.stop();
  await Promise.all(stores.map((store) => store.close()));
  expect(report.faults).toEqual([]);
}

it("S6 when the leader is killed, and comes back, what was acknowledged is there once and in order", async () => {
  await raceThrough(async (race) => {
    for (let times = 0; times < 3; times++) {
      const leader = await etcd.cluster.leader();
      await etcd.cluster.kill(leader);
      await race.until(SOME);
      await etcd.cluster.start(leader);
    }
  });
}, 180_000);

it("S6 when the leader stands still for 6 s, and goes on, what was acknowledged is there once and in order", async () => {
  await raceThrough(async (race) => {
    const leader = await etcd.cluster.leader();
    etcd.cluster.stall(leader);
    await setTimeout(STALL_MS);
    await race.until(SOME);
    etcd.cluster.resume(leader);
  });
}, 180_000);
