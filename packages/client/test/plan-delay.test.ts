import fc from "fast-check";
import { expect, it } from "vitest";
import { planDelay } from "../src/http/plan-delay.ts";

const failures = fc.integer({ min: 1, max: 10_000 });
const askedMs = fc.nat(5_000_000);
const random = fc.double({ min: 0, max: 1, noNaN: true });

it("a delay is never over 30 s, and up to that never shorter than the server asked for", () => {
  fc.assert(
    fc.property(failures, askedMs, random, (count, asked, share) => {
      const delayMs = planDelay(count, asked, share);
      expect(delayMs).toBeLessThanOrEqual(30_000);
      expect(delayMs).toBeGreaterThanOrEqual(Math.min(asked, 30_000));
    }),
  );
});

it("a delay does not depend on a pause that is not a number, as of an answer that is not the server's", () => {
  for (const asked of [Number.NaN, "abc", {}, null, undefined] as readonly unknown[]) {
    expect(planDelay(3, asked as number, 0.5)).toBe(planDelay(3, 0, 0.5));
  }
});

it("a delay is random up to a bound, which doubles with each failure from 0.5 s on", () => {
  fc.assert(
    fc.property(failures, random, (count, share) => {
      const boundMs = Math.min(30_000, 500 * 2 ** (count - 1));
      expect(planDelay(count, 0, share)).toBeCloseTo(share * boundMs, 6);
    }),
  );
});
