import { describe, expect, it } from "vitest";
import { decodePhase, receiptOf } from "../src/rules/receipt.ts";

const LANDING = {
  firstSequence: 2,
  lastSequence: 3,
  runStatus: "running",
  phase: '"pl\\"an"',
} as const;

const REQUEST = { expectedSequence: 3 };

describe("receiptOf", () => {
  it("W9, W10: a receipt has where the append landed, and whether it is a replay", () => {
    const receipt = {
      firstSequence: 2,
      lastSequence: 3,
      runStatus: "running",
      currentPhase: 'pl"an',
    };
    expect(receiptOf({ outcome: "appended", ...LANDING }, REQUEST)).toStrictEqual({
      ...receipt,
      replayed: false,
    });
    expect(receiptOf({ outcome: "replayed", ...LANDING }, REQUEST)).toStrictEqual({
      ...receipt,
      replayed: true,
    });
  });

  it.each([
    [{ outcome: "not_found" }, "not_found", {}],
    [{ outcome: "idempotency_key_reused" }, "idempotency_key_reused", {}],
    [
      { outcome: "finished", runStatus: "failed", lastSequence: 7 },
      "run_finished",
      { runStatus: "failed", lastSequence: 7 },
    ],
    [{ outcome: "fenced" }, "fenced", {}],
    [{ outcome: "sequence_conflict", lastSequence: 7 }, "sequence_conflict", { lastSequence: 7 }],
  ] as const)("S5, W3: the outcome %j is refused as %s", (outcome, code, details) => {
    expect(() => receiptOf(outcome, REQUEST)).toThrow(expect.objectContaining({ code, details }));
  });

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

describe("decodePhase", () => {
  it("W6: decodePhase returns the phase's value", () => {
    expect(decodePhase('"\\ud800\\u0000"')).toBe("\ud800\u0000");
    expect(decodePhase(null)).toBeNull();
  });
});
