import { describe, expect, it } from "vitest";
import { receiptOf } from "../src/rules/receipt.ts";

const REQUEST = { expectedSequence: 3 };

describe("receiptOf", () => {
  it("S1: a run without sequences left is not a conflict, since reading it again would not help", () => {
    const lastSequence = Number.MAX_SAFE_INTEGER - 1;
    for (const expectedSequence of [null, lastSequence]) {
      const refused = (): unknown =>
        receiptOf({ outcome: "sequence_conflict", lastSequence }, { expectedSequence });
      expect(refused).toThrow(expect.objectContaining({ code: "invalid_request" }));
      expect(refused).toThrow("End the run, and go on in another.");
    }
  });

  it.each([
    [5, "Read the run again from 3, then decide again."],
    // A read from 3 would be refused.
    [2, "Read the run again from 2, then decide again."],
  ])(
    "W11: a refused sequence shows what was expected, that it is %i, and from where to read",
    (lastSequence, advice) => {
      expect(() => receiptOf({ outcome: "sequence_conflict", lastSequence }, REQUEST)).toThrow(
        `Expected the run's last sequence to be 3, but it is ${lastSequence}. ${advice}`,
      );
    },
  );
});
