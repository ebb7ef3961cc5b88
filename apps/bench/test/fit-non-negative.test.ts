import fc from "fast-check";
import { expect, it } from "vitest";
import { fitNonNegative } from "../src/fit-non-negative.ts";

const factor = fc.double({ min: 0, max: 1_000, noNaN: true });
const unknowns = fc.array(fc.double({ min: 0.1, max: 500, noNaN: true }), {
  minLength: 1,
  maxLength: 6,
});

/** Rows that tell the unknowns apart: each is by far the most of a row of its own. */
const problem = unknowns.chain((costs) =>
  fc.record({
    costs: fc.constant(costs),
    rows: fc
      .array(fc.array(factor, { minLength: costs.length, maxLength: costs.length }), {
        minLength: costs.length,
        maxLength: costs.length + 4,
      })
      .map((rows) => rows.map((row, at) => row.with(at % costs.length, 10_000))),
  }),
);

function valuesOf(rows: readonly (readonly number[])[], costs: readonly number[]): number[] {
  return rows.map((row) => row.reduce((sum, each, at) => sum + each * (costs[at] ?? 0), 0));
}

function squares(
  rows: readonly (readonly number[])[],
  values: readonly number[],
  costs: readonly number[],
): number {
  const errors = valuesOf(rows, costs).map((value, at) => value / (values[at] ?? Number.NaN) - 1);
  return errors.reduce((sum, error) => sum + error * error, 0);
}

it("gives back the costs that exact values were made of, whatever the units of the values", () => {
  fc.assert(
    fc.property(problem, fc.double({ min: 1e-6, max: 1e6, noNaN: true }), ({ rows, costs }, by) => {
      const values = valuesOf(rows, costs).map((value) => value * by);
      const found = fitNonNegative(rows, values);
      for (const [at, cost] of costs.entries()) {
        expect((found[at] ?? Number.NaN) / by / cost).toBeCloseTo(1, 6);
      }
    }),
  );
});

it("finds nothing below 0, and nothing that a step away is nearer, also where rows say the same or nothing", () => {
  const rounds = fc.integer({ min: 1, max: 6 }).chain((width) =>
    fc.array(
      fc.record({
        row: fc.array(fc.nat(3), { minLength: width, maxLength: width }),
        value: fc.double({ min: 0.1, max: 1_000, noNaN: true }),
      }),
      { minLength: 1, maxLength: 10 },
    ),
  );
  fc.assert(
    fc.property(rounds, (given) => {
      const rows = given.map(({ row }) => row);
      const values = given.map(({ value }) => value);
      const found = fitNonNegative(rows, values);
      const least = squares(rows, values, found);
      for (const [at, cost] of found.entries()) {
        expect(cost).toBeGreaterThanOrEqual(0);
        for (const other of [cost * 1.01, cost * 0.99, cost + 0.01]) {
          expect(squares(rows, values, found.with(at, other))).toBeGreaterThanOrEqual(least - 1e-9);
        }
      }
    }),
    { numRuns: 1_000 },
  );
});

it("leaves at 0 what no row has, and what would have to be below", () => {
  const found = fitNonNegative(
    [
      [1, 0, 0],
      [1, 1, 0],
    ],
    [10, 5],
  );
  // 1 / 10 and 1 / 5 of it are as near to 1 each as they can be: (0.1 + 0.2) / (0.01 + 0.04).
  expect(found[0]).toBeCloseTo(6, 9);
  expect(found.slice(1)).toEqual([0, 0]);
});

it("weighs errors by their values", () => {
  // Of 10 and of 1,000 a tenth counts alike.
  expect(fitNonNegative([[1], [100]], [9, 1_100])[0]).toBeCloseTo(
    (1 / 9 + 100 / 1_100) / (1 / 9 ** 2 + (100 / 1_100) ** 2),
    9,
  );
});
