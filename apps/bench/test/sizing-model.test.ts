import fc from "fast-check";
import { expect, it } from "vitest";
import { type Load, plan, type Plan, predict, type UnitCosts } from "../src/sizing-model.ts";

const micros = fc.double({ min: 0.01, max: 500, noNaN: true });
const costs: fc.Arbitrary<UnitCosts> = fc.record({
  append: micros,
  appendInDatabase: micros,
  wake: micros,
  wakeInDatabase: micros,
  delivery: micros,
  unheard: fc.oneof(fc.constant(0), micros),
  stream: micros,
  streamBytes: fc.integer({ min: 1_000, max: 50_000 }),
});
const load: fc.Arbitrary<Omit<Load, "streamingServers">> = fc
  .record({ appends: fc.integer({ min: 1, max: 200_000 }), streams: fc.nat(2_000_000) })
  .chain(({ appends, streams }) =>
    fc.record({
      appends: fc.constant(appends),
      streams: fc.constant(streams),
      wakes: fc.nat(appends),
      deliveries: fc.nat(1_000_000),
    }),
  );
const limits: fc.Arbitrary<Plan> = fc.record({
  utilisation: fc.double({ min: 0.1, max: 0.9, noNaN: true }),
  databaseCores: fc.integer({ min: 1, max: 64 }),
  streamsAServer: fc.integer({ min: 1_000, max: 50_000 }),
});

it("what is planned bears the load: no process above the utilisation, no database above its cores", () => {
  fc.assert(
    fc.property(load, costs, limits, (of, unit, { utilisation, databaseCores, streamsAServer }) => {
      const needs = plan(of, unit, { utilisation, databaseCores, streamsAServer });
      const share = 1 / needs.databases;
      const cores = predict(
        {
          appends: of.appends * share,
          wakes: of.wakes * share,
          deliveries: of.deliveries * share,
          streams: of.streams * share,
          streamingServers: needs.streamingServers * share,
        },
        unit,
      );
      const most = utilisation * (1 + 1e-9);
      expect(cores.database).toBeLessThanOrEqual(databaseCores * most);
      expect(cores.appending).toBeLessThanOrEqual(needs.appendingServers * share * most);
      expect(cores.streaming).toBeLessThanOrEqual(needs.streamingServers * share * most);
      expect(of.streams).toBeLessThanOrEqual(needs.streamingServers * streamsAServer);
    }),
  );
});

it("adds up what each append, wake, delivery and stream takes", () => {
  const unit: UnitCosts = {
    append: 100,
    appendInDatabase: 50,
    wake: 20,
    wakeInDatabase: 10,
    delivery: 5,
    unheard: 1,
    stream: 2,
    streamBytes: 2 ** 14,
  };
  const of = { appends: 1_000, wakes: 500, deliveries: 2_000, streams: 3_000, streamingServers: 2 };
  expect(predict(of, unit)).toEqual({
    appending: 0.1,
    streaming: (500 * 20 + 2_000 * 5 + 3_000 * 2 + 1_500) / 1_000_000,
    database: 0.055,
  });
});
