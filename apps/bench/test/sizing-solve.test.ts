import fc from "fast-check";
import { expect, it } from "vitest";
import { CALIBRATING } from "../src/sizing-mixes.ts";
import { type Load, type PerUnit, predict } from "../src/sizing-model.ts";
import { type Measured, solve } from "../src/sizing-solve.ts";
import { unitCosts } from "./unit-costs-arbitrary.ts";

const micros = fc.double({ min: 1, max: 500, noNaN: true });
const costs = unitCosts({
  micros,
  rare: micros,
  itself: fc.double({ min: 100, max: 100_000, noNaN: true }),
});

const NOTHING: Load = {
  appends: 0,
  commits: 0,
  sharedCommits: 0,
  notifications: 0,
  wakes: 0,
  reads: 0,
  deliveries: 0,
  streams: 3_300,
  watched: 800,
  streamingServers: 1,
};

/** The loads that the section takes the costs from, as if each burst fell into a lone commit and one for the rest. */
const LOADS: readonly Load[] = [
  ...CALIBRATING.map(({ readersARun, eventsASecond, burst }): Load => {
    const bursts = eventsASecond / burst;
    const commits = burst === 1 ? bursts : 2 * bursts;
    const isRead = readersARun > 0;
    return {
      ...NOTHING,
      ...(isRead ? {} : { streams: 1, watched: 1 }),
      appends: eventsASecond,
      commits,
      sharedCommits: burst === 1 ? 0 : bursts,
      notifications: commits,
      wakes: isRead ? eventsASecond : 0,
      reads: isRead ? bursts : 0,
      deliveries: readersARun * eventsASecond,
    };
  }),
  NOTHING,
  { ...NOTHING, streams: 5_300, watched: 2_800 },
];

function measuredOf(load: Load, unit: PerUnit, by = 1): Measured {
  const { appending, streaming, database } = predict(load, unit);
  // A server that takes no appends takes a little all the same.
  return {
    load,
    appending: (appending === 0 ? 0.001 : appending) * by,
    streaming: streaming * by,
    database: database * by,
  };
}

it("the section's loads tell all its costs apart: exact measurements give them back", () => {
  fc.assert(
    fc.property(costs, (unit) => {
      const found = solve(LOADS.map((load) => [measuredOf(load, unit)]));
      for (const part of ["appending", "streaming", "database"] as const) {
        const known = Object.entries(unit[part]);
        expect(Object.keys(found[part]).toSorted()).toEqual(known.map(([name]) => name).toSorted());
        for (const [name, cost] of known) {
          const value = (found[part] as Readonly<Record<string, number>>)[name] ?? Number.NaN;
          expect(value / cost, `${part} ${name}`).toBeCloseTo(1, 3);
        }
      }
    }),
  );
});

it("takes the middle of the rounds: one that something else met does not count", () => {
  fc.assert(
    fc.property(costs, fc.double({ min: 1.5, max: 10, noNaN: true }), (unit, slower) => {
      const calm = LOADS.map((load) => [measuredOf(load, unit)]);
      const disturbed = LOADS.map((load) => [
        measuredOf(load, unit),
        measuredOf(load, unit, slower),
        measuredOf(load, unit),
      ]);
      expect(solve(disturbed)).toEqual(solve(calm));
    }),
  );
});
