import fc from "fast-check";
import { expect, it } from "vitest";
import { createDraws, type Draws } from "../src/processes/draws.ts";
import { planStrike } from "../src/processes/load.ts";

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

it("crashes after 5 to 10 calls, when one was made or within a call after it", () => {
  const plans = Array.from({ length: 200 }, (_, seed) => planStrike(createDraws(seed)));
  expect(new Set(plans.map(({ calls }) => calls)).size).toBeGreaterThan(3);
  for (const { calls, lateness } of plans) {
    expect(calls).toBeGreaterThanOrEqual(5);
    expect(calls).toBeLessThanOrEqual(10);
    expect(lateness).toBeLessThan(1);
  }
  const prompt = plans.filter(({ lateness }) => lateness === 0).length;
  expect(prompt).toBeGreaterThan(60);
  expect(prompt).toBeLessThan(140);
});
