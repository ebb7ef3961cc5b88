import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nextFence } from "../src/rules/claims.ts";

describe("nextFence", () => {
  /** The last millisecond whose fences are all safe integers, in the year 2255. */
  const LAST_MS = 9_007_199_254_739;
  const clock = fc.oneof(fc.nat({ max: 4 }), fc.integer({ min: 0, max: LAST_MS }));
  const ordinal = fc.oneof(
    fc.integer({ min: 1, max: 3_000 }),
    fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
  );
  /** Fences as old programs have counted them, or as they are now. */
  const fence = fc.oneof(fc.nat({ max: 9 }), fc.integer({ min: 0, max: LAST_MS * 1_000 - 1 }));

  it("W31: a next fence is a safe integer, higher than any before on the run, and no earlier than the clock", () => {
    fc.assert(
      fc.property(fence, ordinal, clock, (before, of, nowMs) => {
        const next = nextFence({ fence: before, ordinal: of }, nowMs);
        expect(Number.isSafeInteger(next)).toBe(true);
        expect(next).toBeGreaterThan(before);
        expect(next).toBeGreaterThanOrEqual(nowMs * 1_000);
      }),
    );
  });

  it("W31: two runs whose ordinals end differently never get the same fence, for any clocks and earlier fences", () => {
    const run = fc.record({ fence, ordinal });
    fc.assert(
      fc.property(run, run, clock, clock, (one, other, oneMs, otherMs) => {
        fc.pre(one.ordinal % 1_000 !== other.ordinal % 1_000);
        expect(nextFence(one, oneMs)).not.toBe(nextFence(other, otherMs));
        // Even if the clock does not move and both have been claimed equally often.
        const alike = { ...other, fence: one.fence };
        expect(nextFence(alike, oneMs)).not.toBe(nextFence(one, oneMs));
      }),
    );
  });
});
