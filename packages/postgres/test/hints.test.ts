import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeHints, type Hint, parseHints } from "../src/hints.ts";
import { oneTo } from "@tm/run-events-test-servers/requests";

const MOST_BYTES = 7_999;

const arbitraryHint: fc.Arbitrary<Hint> = fc
  .record({
    runId: fc.stringMatching(/^[A-Za-z0-9_-]{1,128}$/),
    ordinal: fc.maxSafeNat(),
    lastSequence: fc.maxSafeNat(),
    bare: fc.boolean(),
  })
  .map(({ bare, ...head }) => (bare ? { runId: head.runId } : head));

describe("hints", () => {
  it("S13: say after a notification what they said before it", () => {
    fc.assert(
      fc.property(fc.array(arbitraryHint, { maxLength: 300, size: "large" }), (hints) => {
        expect(encodeHints(hints).flatMap(parseHints)).toEqual(hints);
      }),
    );
  });

  it("S13: fit the notifications that they need, and need no more", () => {
    fc.assert(
      fc.property(
        fc.array(arbitraryHint, { minLength: 300, maxLength: 900, size: "max" }),
        (hints) => {
          const payloads = encodeHints(hints);
          for (const payload of payloads) {
            expect(Buffer.byteLength(payload)).toBeLessThanOrEqual(MOST_BYTES);
          }
          for (const payload of payloads.slice(0, -1)) {
            expect(payload.length).toBeGreaterThan(MOST_BYTES - 300);
          }
        },
      ),
      // To shrink so many hints would take longer than to read them.
      { numRuns: 20, endOnFailure: true },
    );
  });

  it("S13: the longest run ids and the greatest numbers fit too", () => {
    const runId = "x".repeat(128);
    const greatest = Number.MAX_SAFE_INTEGER;
    const hints = oneTo(1_000).map(() => ({ runId, ordinal: greatest, lastSequence: greatest }));
    const payloads = encodeHints(hints);
    expect(payloads.flatMap(parseHints)).toEqual(hints);
    for (const payload of payloads) expect(payload.length).toBeLessThanOrEqual(MOST_BYTES);
  });

  it("S15: whatever others notify is read as hints or left out", () => {
    const arbitraryGarbage = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.string({ unit: fc.constantFrom("a", ":", " ", "7", "?", "\n") }),
      fc.constantFrom("a:1", "a:1:", ":1:2", "a:-1:2", "a:1:2:3", "a:1e3:2", "{}"),
    );
    fc.assert(
      fc.property(arbitraryGarbage, (payload) => {
        for (const hint of parseHints(payload)) {
          expect(hint.runId).toMatch(/^[^: ]+$/);
          if ("ordinal" in hint) {
            expect(hint.ordinal).toSatisfy(Number.isSafeInteger);
            expect(hint.lastSequence).toSatisfy(Number.isSafeInteger);
          }
        }
      }),
    );
  });

  it("S15: a head beyond all numbers says only that something has changed", () => {
    expect(parseHints(`a:1:${"9".repeat(17)} b:${"9".repeat(400)}:1 c:1:2`)).toEqual([
      { runId: "a" },
      { runId: "b" },
      { runId: "c", ordinal: 1, lastSequence: 2 },
    ]);
  });
});
