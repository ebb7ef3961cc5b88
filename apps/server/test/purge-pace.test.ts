import fc from "fast-check";
import { expect, it } from "vitest";
import { restAfterBatch } from "../src/upkeep.ts";

it("S17: a purge takes at most a third of the time, however long its batches take, and rests 3 ms at least", () => {
  const took = fc.array(fc.double({ min: 0, max: 60_000, noNaN: true }), { minLength: 1 });
  fc.assert(
    fc.property(took, (batches) => {
      const sum = (all: readonly number[]): number => all.reduce((before, ms) => before + ms, 0);
      const rests = batches.map(restAfterBatch);
      expect(sum(rests)).toBeGreaterThanOrEqual(2 * sum(batches));
      expect(Math.min(...rests)).toBeGreaterThanOrEqual(3);
    }),
  );
});
