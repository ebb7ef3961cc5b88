import { ownerName } from "@tm/run-events-core/store";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  encodeChanges,
  type NotifiedChange,
  parseChanges,
  type RunChange,
} from "../src/run-changes.ts";
import { oneTo } from "@tm/run-events-test-servers/requests";

const MOST_BYTES = 7_999;

const arbitraryChange: fc.Arbitrary<RunChange> = fc
  .record({
    runId: fc.stringMatching(/^[A-Za-z0-9_-]{1,128}$/),
    // Any text of any length.
    ownerId: fc.oneof(
      fc.string({ unit: "grapheme", minLength: 1 }),
      fc.constantFrom("a b", "a:b", ":1:2", "x".repeat(20_000)),
    ),
    ordinal: fc.maxSafeNat(),
    lastSequence: fc.maxSafeNat(),
    bare: fc.boolean(),
  })
  .map(({ bare, runId, ownerId, ...position }) =>
    bare ? { runId, ownerId } : { runId, ownerId, ...position },
  );

/** A change as other processes get it. */
function notified(change: RunChange): NotifiedChange {
  const { runId, ownerId } = change;
  const position =
    "ordinal" in change ? { ordinal: change.ordinal, lastSequence: change.lastSequence } : null;
  return { runId, owner: ownerName(ownerId), position };
}

describe("changes", () => {
  it("S13: changes are the same after a notification as before it", () => {
    fc.assert(
      fc.property(fc.array(arbitraryChange, { maxLength: 300, size: "large" }), (changes) => {
        expect(encodeChanges(changes).flatMap(parseChanges)).toEqual(changes.map(notified));
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
    const change = { runId, ownerId: "ada", ordinal: greatest, lastSequence: greatest };
    const changes = oneTo(1_000).map(() => change);
    const payloads = encodeChanges(changes);
    expect(payloads.flatMap(parseChanges)).toEqual(changes.map(notified));
    for (const payload of payloads) expect(payload.length).toBeLessThanOrEqual(MOST_BYTES);
  });

  it("S13: any payload of others is read as changes or ignored", () => {
    const arbitraryGarbage = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.string({ unit: fc.constantFrom("a", ":", " ", "7", "?", "\n") }),
      fc.constantFrom(
        "a b:1",
        "a b:1:",
        "a :1:2",
        "a b:c:-1:2",
        "a b:c:1:2:3",
        "a b:c:1e3:2",
        "{}",
      ),
    );
    fc.assert(
      fc.property(arbitraryGarbage, (payload) => {
        for (const { runId, owner, position } of parseChanges(payload)) {
          expect([runId, owner].join("/")).toMatch(/^[^: ]+\/[^: ]+$/);
          for (const number of [position?.ordinal ?? 0, position?.lastSequence ?? 0])
            expect(number).toSatisfy(Number.isSafeInteger);
        }
      }),
    );
  });

  it("S13: a change with numbers that are too large keeps only its run and its owner", () => {
    const payload = `a:o:1:${"9".repeat(17)} b:o:${"9".repeat(400)}:1 c:o:1:2`;
    expect(parseChanges(payload)).toEqual([
      { runId: "a", owner: "o", position: null },
      { runId: "b", owner: "o", position: null },
      { runId: "c", owner: "o", position: { ordinal: 1, lastSequence: 2 } },
    ]);
  });
});
