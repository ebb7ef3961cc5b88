import fc from "fast-check";
import { expect, it } from "vitest";
import { type Load, type PerUnit, plan, type Plan, predict } from "../src/sizing-model.ts";
import { unitCosts } from "./unit-costs-arbitrary.ts";

const micros = fc.double({ min: 0.01, max: 500, noNaN: true });
const costs = unitCosts({
  micros,
  rare: fc.oneof(fc.constant(0), micros),
  itself: fc.double({ min: 0, max: 50_000, noNaN: true }),
});
const load: fc.Arbitrary<Omit<Load, "streamingServers" | "notifications">> = fc
  .record({ appends: fc.integer({ min: 1, max: 200_000 }), streams: fc.nat(2_000_000) })
  .chain(({ appends, streams }) =>
    fc.record({
      appends: fc.constant(appends),
      commits: fc.integer({ min: 1, max: appends }),
      sharedCommits: fc.nat(1),
      wakes: fc.nat(appends),
      reads: fc.nat(appends),
      deliveries: fc.nat(1_000_000),
      streams: fc.constant(streams),
      watched: fc.nat(streams),
    }),
  )
  .map((of) => ({ ...of, sharedCommits: of.sharedCommits * of.commits }));
const limits: fc.Arbitrary<Plan> = fc.record({
  utilisation: fc.double({ min: 0.1, max: 0.9, noNaN: true }),
  databaseCores: fc.integer({ min: 1, max: 64 }),
  streamsAServer: fc.integer({ min: 1_000, max: 50_000 }),
  streamBytes: fc.integer({ min: 1_000, max: 50_000 }),
});

/** What each of `parts` equal databases with servers of its own has of a load. */
function shareOf(of: Load, parts: number): Load {
  return {
    appends: of.appends / parts,
    commits: of.commits / parts,
    sharedCommits: of.sharedCommits / parts,
    notifications: of.notifications / parts,
    wakes: of.wakes / parts,
    reads: of.reads / parts,
    deliveries: of.deliveries / parts,
    streams: of.streams / parts,
    watched: of.watched / parts,
    streamingServers: of.streamingServers / parts,
  };
}

it("what is planned bears the load: no process above the utilisation, no database above its cores", () => {
  fc.assert(
    fc.property(load, costs, limits, (of, unit, asked) => {
      const needs = plan(of, unit, asked);
      const { databases, appendingServers, streamingServers } = needs;
      // Each server that takes appends gathers what it tells the others of for 5 ms.
      const notifications = Math.min(of.commits, 200 * appendingServers);
      const cores = predict(shareOf({ ...of, notifications, streamingServers }, databases), unit);
      const most = asked.utilisation * (1 + 1e-9);
      expect(cores.database).toBeLessThanOrEqual(asked.databaseCores * most);
      expect(cores.database * databases).toBeLessThanOrEqual(needs.databaseCores * most);
      expect(cores.appending).toBeLessThanOrEqual((appendingServers / databases) * most);
      expect(cores.streaming).toBeLessThanOrEqual((streamingServers / databases) * most);
      expect(of.streams).toBeLessThanOrEqual(streamingServers * asked.streamsAServer);
    }),
  );
});

it("needs no more where more appends share a commit and more wakes a read", () => {
  fc.assert(
    fc.property(load, costs, limits, fc.integer({ min: 1, max: 50 }), (of, unit, asked, by) => {
      const apart = plan(of, unit, asked);
      const met = plan(
        {
          ...of,
          commits: of.commits / by,
          sharedCommits: of.sharedCommits / by,
          reads: of.reads / by,
        },
        unit,
        asked,
      );
      expect(met.databases).toBeLessThanOrEqual(apart.databases);
      expect(met.databaseCores).toBeLessThanOrEqual(apart.databaseCores);
      expect(met.streamGiB).toBe(apart.streamGiB);
    }),
  );
});

it("twice the load on twice the servers takes twice the time of servers and database, but for what each does by itself and hears of the others", () => {
  fc.assert(
    fc.property(load, costs, fc.nat(50), (of, unit, streamingServers) => {
      const deaf = { ...unit, streaming: { ...unit.streaming, notification: 0, unheard: 0 } };
      const whole = { ...of, notifications: of.commits, streamingServers };
      const once = predict(whole, deaf);
      const twice = predict(shareOf(whole, 0.5), deaf);
      const itself = unit.database.itself / 1_000_000;
      expect(twice.appending).toBeCloseTo(2 * once.appending, 6);
      expect(twice.streaming).toBeCloseTo(2 * once.streaming, 6);
      expect(twice.database - itself).toBeCloseTo(2 * (once.database - itself), 6);
    }),
  );
});

it("adds up what each unit takes", () => {
  const unit: PerUnit = {
    appending: { append: 100, commit: 300 },
    streaming: {
      wake: 20,
      read: 200,
      delivery: 5,
      stream: 2,
      watched: 30,
      notification: 40,
      unheard: 1,
    },
    database: {
      append: 50,
      commit: 400,
      sharedCommit: 70,
      wake: 10,
      read: 150,
      watched: 3,
      itself: 9_000,
    },
  };
  const of: Load = {
    appends: 1_000,
    commits: 200,
    sharedCommits: 100,
    notifications: 150,
    wakes: 500,
    reads: 125,
    deliveries: 2_000,
    streams: 3_000,
    watched: 400,
    streamingServers: 2,
  };
  const micros = {
    appending: 1_000 * 100 + 200 * 300,
    streaming:
      500 * 20 +
      125 * 200 +
      2_000 * 5 +
      3_000 * 2 +
      400 * 30 +
      2 * 150 * 40 +
      (2 * 1_000 - 500) * 1,
    database: 1_000 * 50 + 200 * 400 + 100 * 70 + 500 * 10 + 125 * 150 + 400 * 3 + 9_000,
  };
  const cores = predict(of, unit);
  expect(cores.appending * 1_000_000).toBeCloseTo(micros.appending, 6);
  expect(cores.streaming * 1_000_000).toBeCloseTo(micros.streaming, 6);
  expect(cores.database * 1_000_000).toBeCloseTo(micros.database, 6);
});
