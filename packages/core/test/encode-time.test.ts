import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeTime } from "../src/rules/encode-time.ts";

describe("encodeTime", () => {
  it("W2: encodeTime writes ISO 8601 with milliseconds, after any other time", () => {
    const near = fc.integer({ min: -2_500, max: 2_500 });
    const time = fc.oneof(
      fc
        .tuple(fc.integer({ min: -8_639_999_990, max: 8_639_999_990 }), near)
        .map(([second, ms]) => second * 1_000 + ms),
      near,
      fc.double({ min: -9_999, max: 9_999, noNaN: true }),
    );
    fc.assert(
      fc.property(fc.array(time), (times) => {
        for (const ms of times.flatMap((one) => [one, one, one + 1, one - 999]))
          expect(encodeTime(ms)).toBe(new Date(ms).toISOString());
      }),
      { numRuns: 300 },
    );
  });
});
