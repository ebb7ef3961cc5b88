import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { digestOfRun, isSameState } from "../src/rules/list-version.ts";
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
});
