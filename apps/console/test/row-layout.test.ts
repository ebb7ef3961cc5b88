import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  offsetOf,
  planLayout,
  planReveal,
  planWindow,
  ROW_HEIGHT,
  type RowLayout,
  rowAt,
} from "../src/row-layout.ts";

/** A layout, with the height of each of its rows. */
const laidOut: fc.Arbitrary<{ readonly layout: RowLayout; readonly heights: readonly number[] }> =
  fc
    .array(fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.nat(900)), { minLength: 1 })
    .map((extras) => ({
      layout: planLayout(
        extras.length,
        extras.map((extra, row) => ({ row, extra })).filter(({ extra }) => extra > 0),
      ),
      heights: extras.map((extra) => ROW_HEIGHT + extra),
    }));

function sum(heights: readonly number[]): number {
  return heights.reduce((total, height) => total + height, 0);
}

describe("the layout of rows", () => {
  it("each row begins where the rows above it end", () => {
    fc.assert(
      fc.property(laidOut, ({ layout, heights }) => {
        for (let row = 0; row <= heights.length; row += 1) {
          expect(offsetOf(layout, row)).toBe(sum(heights.slice(0, row)));
        }
      }),
    );
  });

  it("the row at an offset spans it", () => {
    fc.assert(
      fc.property(laidOut, fc.double({ min: 0, max: 1, noNaN: true }), (one, share) => {
        const { layout, heights } = one;
        const offset = share * (sum(heights) - 1);
        const row = rowAt(layout, offset);
        expect(offsetOf(layout, row)).toBeLessThanOrEqual(offset);
        expect(offsetOf(layout, row + 1)).toBeGreaterThan(offset);
      }),
    );
  });

  it("the drawn rows are all visible ones, and few others", () => {
    fc.assert(
      fc.property(laidOut, fc.nat(5_000), fc.integer({ min: 1, max: 900 }), fc.nat(9), (...all) => {
        const [{ layout, heights }, scrollTop, viewHeight, spare] = all;
        const { from, to } = planWindow(layout, scrollTop, viewHeight, spare);
        for (let row = 0; row < heights.length; row += 1) {
          const begin = offsetOf(layout, row);
          const isSeen = begin < scrollTop + viewHeight && offsetOf(layout, row + 1) > scrollTop;
          if (isSeen) expect(from <= row && row < to).toBe(true);
        }
        expect(to - from).toBeLessThanOrEqual(Math.ceil(viewHeight / ROW_HEIGHT) + 2 + 2 * spare);
      }),
    );
  });

  it("a row is revealed by the shortest scroll", () => {
    fc.assert(
      fc.property(laidOut, fc.nat(5_000), fc.integer({ min: 28, max: 900 }), fc.nat(), (...all) => {
        const [{ layout, heights }, scrollTop, viewHeight, any] = all;
        const row = any % heights.length;
        const revealed = planReveal(layout, row, scrollTop, viewHeight);
        const [begin, end] = [offsetOf(layout, row), offsetOf(layout, row + 1)];
        expect(begin).toBeGreaterThanOrEqual(revealed);
        expect(Math.min(end, begin + viewHeight)).toBeLessThanOrEqual(revealed + viewHeight);
        if (begin >= scrollTop && end <= scrollTop + viewHeight) expect(revealed).toBe(scrollTop);
      }),
    );
  });
});
