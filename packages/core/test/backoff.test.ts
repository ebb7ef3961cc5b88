import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Backoff, planBackoff } from "../src/time/backoff.ts";

const bounds: fc.Arbitrary<Backoff> = fc
  .record({
    firstMs: fc.integer({ min: 1, max: 1_000 }),
    times: fc.integer({ min: 1, max: 1_000 }),
    jitter: fc.double({ min: 0, max: 1, noNaN: true }),
  })
  .map(({ firstMs, times, jitter }) => ({ firstMs, mostMs: firstMs * times, jitter }));
const failures = fc.integer({ min: 1, max: 5_000 });
const random = fc.double({ min: 0, max: 1, noNaN: true });

describe("planBackoff", () => {
  it("planBackoff never passes the longest pause, and makes no more of it random than the jitter", () => {
    fc.assert(
      fc.property(bounds, failures, random, (backoff, count, chance) => {
        const pauseMs = planBackoff(backoff, count, chance);
        const mostMs = planBackoff({ ...backoff, jitter: 0 }, count, chance);
        expect(mostMs).toBeLessThanOrEqual(backoff.mostMs);
        expect(pauseMs).toBeLessThanOrEqual(mostMs * (1 + Number.EPSILON));
        expect(pauseMs).toBeGreaterThanOrEqual(mostMs * (1 - backoff.jitter - Number.EPSILON));
      }),
    );
  });

  it("planBackoff grows with each failure, and with the random number", () => {
    fc.assert(
      fc.property(bounds, failures, random, random, (backoff, count, one, other) => {
        const [low, high] = one < other ? [one, other] : [other, one];
        expect(planBackoff(backoff, count, low)).toBeLessThanOrEqual(
          planBackoff(backoff, count, high),
        );
        expect(planBackoff(backoff, count, low)).toBeLessThanOrEqual(
          planBackoff(backoff, count + 1, low),
        );
      }),
    );
  });

  it("planBackoff doubles from the first pause to the longest", () => {
    const backoff: Backoff = { firstMs: 25, mostMs: 1_000, jitter: 0 };
    const pauses = [1, 2, 3, 6, 7, 2_000].map((count) => planBackoff(backoff, count, 0.5));
    expect(pauses).toStrictEqual([25, 50, 100, 800, 1_000, 1_000]);
  });
});
