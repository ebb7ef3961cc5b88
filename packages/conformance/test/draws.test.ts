import fc from "fast-check";
import { expect, it } from "vitest";
import { createDraws, type Draws } from "../src/processes/draws.ts";
import { planStrike } from "../src/processes/loads.ts";

const seeds = fc.integer();
const program = fc.array(fc.constantFrom("append", "read", "head"), { minLength: 8, maxLength: 8 });

function drawAll({ from, fraction }: Draws): readonly unknown[] {
  return Array.from({ length: 10 }, () => [from(program), fraction()]);
}

it("draws the same from the same seed, and something else from another", () => {
  fc.assert(
    fc.property(seeds, seeds, (seed, other) => {
      const drawn = drawAll(createDraws(seed));
      expect(drawAll(createDraws(seed))).toEqual(drawn);
      if (other !== seed) expect(drawAll(createDraws(other))).not.toEqual(drawn);
    }),
  );
});

it("draws fractions from 0 up to 1, without 1", () => {
  fc.assert(
    fc.property(seeds, (seed) => {
      const { fraction } = createDraws(seed);
      const drawn = Array.from({ length: 100 }, fraction);
      expect(drawn.every((one) => one >= 0 && one < 1)).toBe(true);
    }),
  );
});

it("crashes after 15 to 30 reports, on one of them or within a call after it", () => {
  const plans = Array.from({ length: 200 }, (_, seed) => planStrike(createDraws(seed)));
  expect(new Set(plans.map(({ reports }) => reports)).size).toBeGreaterThan(10);
  for (const { reports, lateness } of plans) {
    expect(reports).toBeGreaterThanOrEqual(15);
    expect(reports).toBeLessThanOrEqual(30);
    expect(lateness).toBeLessThan(1);
  }
  const prompt = plans.filter(({ lateness }) => lateness === 0).length;
  expect(prompt).toBeGreaterThan(60);
  expect(prompt).toBeLessThan(140);
});
