import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeChanges, type RunChange, parseChanges } from "../src/run-changes.ts";
import { oneTo } from "@tm/run-events-test-servers/requests";

const MOST_BYTES = 7_999;

const arbitraryChange: fc.Arbitrary<RunChange> = fc
  .record({
    runId: fc.stringMatching(/^[A-Za-z0-9_-]{1,128}$/),
    ordinal: fc.maxSafeNat(),
    lastSequence: fc.maxSafeNat(),
    bare: fc.boolean(),
  })
  .map(({ bare, ...head }) => (bare ? { runId: head.runId } : head));

describe("changes", () => {
  it("S13: changes are the same after a notification as before it", () => {
    fc.assert(
      fc.property(fc.array(arbitraryChange, { maxLength: 300, size: "large" }), (changes) => {
        expect(encodeChanges(changes).flatMap(parseChanges)).toEqual(changes);
      }),
    );
  });

  it("S13: changes fit into their notifications, and need no more of them than necessary", () => {
    fc.assert(
      fc.property(
        fc.array(arbitraryChange, { minLength: 300, maxLength: 900, size: "max" }),
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
      // To shrink this many changes would take longer than to read them.
      { numRuns: 20, endOnFailure: true },
    );
  });

  it("S13: changes with the longest run ids and the largest numbers fit too", () => {
    const runId = "x".repeat(128);
    const greatest = Number.MAX_SAFE_INTEGER;
    const changes = oneTo(1_000).map(() => ({ runId, ordinal: greatest, lastSequence: greatest }));
    const payloads = encodeChanges(changes);
    expect(payloads.flatMap(parseChanges)).toEqual(changes);
    for (const payload of payloads) expect(payload.length).toBeLessThanOrEqual(MOST_BYTES);
  });

  it("S15: any payload of others is read as changes or ignored", () => {
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

  it("S15: a change with numbers that are too large keeps only its run id", () => {
    expect(parseChanges(`a:1:${"9".repeat(17)} b:${"9".repeat(400)}:1 c:1:2`)).toEqual([
      { runId: "a" },
      { runId: "b" },
      { runId: "c", ordinal: 1, lastSequence: 2 },
    ]);
  });
});
