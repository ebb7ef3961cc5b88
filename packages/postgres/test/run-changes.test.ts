import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeChanges, ownerMark, parseChanges, type RunChange } from "../src/run-changes.ts";
import { oneTo } from "@tm/run-events-test-servers/requests";

const MOST_BYTES = 7_999;

const arbitraryChange: fc.Arbitrary<RunChange> = fc
  .record({
    runId: fc.stringMatching(/^[A-Za-z0-9_-]{1,128}$/),
    ownerId: fc.string(),
    ordinal: fc.maxSafeNat(),
    lastSequence: fc.maxSafeNat(),
    bare: fc.boolean(),
  })
  .map(({ bare, runId, ownerId, ...position }) => ({
    runId,
    owner: ownerMark(ownerId),
    position: bare ? null : { runId, ...position },
  }));

describe("changes", () => {
  it("S13: changes are the same after a notification as before it", () => {
    fc.assert(
      fc.property(fc.array(arbitraryChange, { maxLength: 300, size: "large" }), (changes) => {
        const sent = encodeChanges("me", changes).map(parseChanges);
        expect(sent.flatMap((one) => one.changes)).toEqual(changes);
        expect(sent.every(({ sender }) => sender === "me")).toBe(true);
      }),
    );
  });

  it("S13: changes fit into their notifications, and need no more of them than necessary", () => {
    fc.assert(
      fc.property(
        fc.array(arbitraryChange, { minLength: 300, maxLength: 900, size: "max" }),
        (changes) => {
          const payloads = encodeChanges("0123abcd", changes);
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
    const position = { runId, ordinal: greatest, lastSequence: greatest };
    const changes = oneTo(1_000).map(() => ({ runId, owner: "z".repeat(11), position }));
    const payloads = encodeChanges("0123abcd", changes);
    expect(payloads.flatMap((payload) => parseChanges(payload).changes)).toEqual(changes);
    for (const payload of payloads) expect(payload.length).toBeLessThanOrEqual(MOST_BYTES);
  });

  it("S15: any payload of others is read as changes or ignored", () => {
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
        for (const { runId, owner, position } of parseChanges(payload).changes) {
          expect([runId, owner].join("/")).toMatch(/^[^: ]+\/[0-9a-z]+$/);
          for (const number of [position?.ordinal ?? 0, position?.lastSequence ?? 0])
            expect(number).toSatisfy(Number.isSafeInteger);
        }
      }),
    );
  });

  it("S15: a change with numbers that are too large keeps only its run and its owner", () => {
    const payload = `me a:o:1:${"9".repeat(17)} b:o:${"9".repeat(400)}:1 c:o:1:2`;
    expect(parseChanges(payload).changes).toEqual([
      { runId: "a", owner: "o", position: null },
      { runId: "b", owner: "o", position: null },
      { runId: "c", owner: "o", position: { runId: "c", ordinal: 1, lastSequence: 2 } },
    ]);
  });
});
