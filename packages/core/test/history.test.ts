import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeTime } from "../src/rules/encode-time.ts";
import { checkAt, checkLanding } from "../src/rules/history.ts";

const INVALID = expect.objectContaining({ code: "invalid_request" }) as unknown;
const times = fc.integer({ min: 0, max: 253_402_300_799_999 });
const sequences = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER - 1 });

describe("checkAt", () => {
  it("W46: takes every time as an event has it, with every cursor of at least 1", () => {
    fc.assert(
      fc.property(times, sequences, (ms, since) => {
        expect(checkAt(encodeTime(ms), { since })).toBe(ms);
      }),
    );
  });

  it("W46: takes no other text, so that two texts are never the same time", () => {
    const close = fc
      .tuple(times, fc.nat(23), fc.constantFrom("", "0", " ", "+", "T", "z"))
      .map(([ms, at, put]) => encodeTime(ms).slice(0, at) + put + encodeTime(ms).slice(at + 1));
    fc.assert(
      fc.property(fc.oneof(close, fc.string()), (text) => {
        const ms = Date.parse(text);
        if (Number.isFinite(ms) && new Date(ms).toISOString() === text) return;
        expect(() => checkAt(text, { since: 1 })).toThrow(INVALID as Error);
      }),
    );
    for (const text of [
      "2026-01-31",
      "2026-01-31T08:00:00Z",
      "1769846400000",
      "2026-02-30T00:00:00.000Z",
    ])
      expect(() => checkAt(text, { since: 1 })).toThrow(INVALID as Error);
  });

  it("W46: is nothing without a time, and refuses a time without an event, or with tail", () => {
    const at = "2026-01-31T08:00:00.000Z";
    expect(checkAt(undefined, { since: 0 })).toBeNull();
    for (const place of [{}, { since: 0 }, { tail: 3 }, { since: 2, tail: 3 }])
      expect(() => checkAt(at, place)).toThrow(INVALID as Error);
  });
});

describe("checkLanding", () => {
  it("W46: an append lands after all that its writer knows of, unless it is a replay", () => {
    const known = fc.nat(100);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), fc.nat(9), known, fc.boolean(), (...all) => {
        const [firstSequence, more, last, replayed] = all;
        const lastSequence = firstSequence + more;
        const state = { runStatus: "running", currentPhase: null } as const;
        const receipt = { firstSequence, lastSequence, replayed, ...state };
        const check = (): number => checkLanding(receipt, last);
        const isRight = replayed || firstSequence > last;
        const error = { code: "history_changed", details: { lastSequence } };
        if (isRight) expect(check()).toBe(Math.max(last, lastSequence));
        else expect(check).toThrow(expect.objectContaining(error) as Error);
      }),
    );
  });
});
