import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeChanges, type RunChange, parseChanges } from "../src/run-changes.ts";
import { oneTo } from "@tm/run-events-test-servers/requests";

const MOST_BYTES = 7_999;

const arbitraryHint: fc.Arbitrary<RunChange> = fc
  .record({
    runId: fc.stringMatching(/^[A-Za-z0-9_-]{1,128}$/),
    ordinal: fc.maxSafeNat(),
    lastSequence: fc.maxSafeNat(),
    bare: fc.boolean(),
  })
  .map(({ bare, ...head }) => (bare ? { runId: head.runId } : head));

describe("changes", () => {
  it("S13: say after a notification what they said before it", () => {
    fc.assert(
      fc.property(fc.array(arbitraryHint, { maxLength: 300, size: "large" }), (changes) => {
        expect(encodeChanges(changes).flatMap(parseChanges)).toEqual(changes);
      }),
    );
  });

  it("S13: fit the notifications that they need, and need no more", () => {
    fc.assert(
      fc.property(
        fc.array(arbitraryHint, { minLength: 300, maxLength: 900, size: "max" }),
        (changes) => {
          const payloads = encodeChanges(changes);
          for (const payload of payloads) {
            expect(Buffer.byteLength(payload)).toBeLessThanOrEqual(MOST_BYTES);
          }
          for (const payload of payloads.slice(0, -1)) {
            expect(payload.length).toBeGreaterThan(MOST_BYTES - 300);
          }
        },
      ),
      // To shrink so many changes would take longer than to read them.
      { numRuns: 20, endOnFailure: true },
    );
  });

  it("S13: the longest run ids and the greatest numbers fit too", () => {
    const runId = "x".repeat(128);
    const greatest = Number.MAX_SAFE_INTEGER;
    const changes = oneTo(1_000).map(() => ({ runId, ordinal: greatest, lastSequence: greatest }));
    const payloads = encodeChanges(changes);
    expect(payloads.flatMap(parseChanges)).toEqual(changes);
    for (const payload of payloads) expect(payload.length).toBeLessThanOrEqual(MOST_BYTES);
  });

  it("S15: whatever others notify is read as changes or left out", () => {
    const arbitraryGarbage = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.string({ unit: fc.constantFrom("a", ":", " ", "7", "?", "\n") }),
      fc.constantFrom("a:1", "a:1:", ":1:2", "a:-1:2", "a:1:2:3", "a:1e3:2", "{}"),
    );
    fc.assert(
      fc.property(arbitraryGarbage, (payload) => {
        for (const change of parseChanges(payload)) {
          expect(change.runId).toMatch(/^[^: ]+$/);
          if ("ordinal" in change) {
            expect(change.ordinal).toSatisfy(Number.isSafeInteger);
            expect(change.lastSequence).toSatisfy(Number.isSafeInteger);
          }
        }
      }),
    );
  });

  it("S15: a head beyond all numbers says only that something has changed", () => {
    expect(parseChanges(`a:1:${"9".repeat(17)} b:${"9".repeat(400)}:1 c:1:2`)).toEqual([
      { runId: "a" },
      { runId: "b" },
      { runId: "c", ordinal: 1, lastSequence: 2 },
    ]);
  });
});
