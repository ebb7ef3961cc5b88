import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createSeenHeads } from "../src/store/seen-heads.ts";

const arbitraryHead = fc.record({
  runId: fc.constant("a"),
  ordinal: fc.integer({ min: 1, max: 3 }),
  lastSequence: fc.nat({ max: 4 }),
});

function isBehind(
  head: { readonly ordinal: number; readonly lastSequence: number },
  other: { readonly ordinal: number; readonly lastSequence: number },
): boolean {
  return head.ordinal * 10 + head.lastSequence < other.ordinal * 10 + other.lastSequence;
}

describe("heads", () => {
  it("S13: a head is new exactly if it is later than all that were seen", () => {
    fc.assert(
      fc.property(fc.array(arbitraryHead), (seen) => {
        const heads = createSeenHeads();
        seen.forEach((head, index) => {
          const isNews = seen.slice(0, index).every((earlier) => isBehind(earlier, head));
          expect(heads.see("a", head)).toBe(isNews);
        });
      }),
    );
  });

  it("S13: a run that was created or deleted is new, once", () => {
    const heads = createSeenHeads();
    const head = { runId: "a", ordinal: 1, lastSequence: 0 };
    expect([null, null, head, head, null, null].map((seen) => heads.see("a", seen))).toEqual([
      true,
      false,
      true,
      false,
      true,
      false,
    ]);
  });

  it("S13: the heads of one run do not count for another, and a forgotten run is new again", () => {
    const heads = createSeenHeads();
    const head = { runId: "a", ordinal: 1, lastSequence: 3 };
    heads.see("a", head);
    heads.see("b", head);
    heads.forget("a");
    expect(heads.see("a", head)).toBe(true);
    expect(heads.see("b", head)).toBe(false);
  });
});
