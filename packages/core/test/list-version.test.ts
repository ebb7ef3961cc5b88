import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DIGEST_END, digestOfRun, digestOfText, isSameState } from "../src/rules/list-version.ts";
import { runRecord } from "./run-record.ts";

const run = fc
  .record({
    runId: fc.constantFrom("a", "b"),
    ordinal: fc.integer({ min: 1, max: 3 }),
    runStatus: fc.constantFrom("queued" as const, "running" as const, "completed" as const),
    lastSequence: fc.nat(3),
    updatedAtMs: fc.nat(3),
    leaseExpiresAtMs: fc.option(fc.nat(3), { nil: null }),
  })
  .map(runRecord);

describe("the version of a list", () => {
  it("W48: two states of a run have the same digest exactly if a list shows both in the same way", () => {
    fc.assert(
      fc.property(run, run, (one, other) => {
        const isSame = one.runId === other.runId && isSameState(one, other);
        expect(digestOfRun(one) === digestOfRun(other)).toBe(isSame);
      }),
      { numRuns: 2_000 },
    );
  });

  it("W48: digests are numbers of which two have an exact sum, and two texts mostly have two", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (one, other) => {
        const digest = digestOfText(one);
        expect(Number.isSafeInteger(digest) && digest >= 0 && digest < DIGEST_END).toBe(true);
        expect(Number.isSafeInteger(2 * DIGEST_END - 1)).toBe(true);
        expect(digest === digestOfText(other)).toBe(one === other);
      }),
    );
  });
});
