import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createLineCutter, type Piece } from "../src/line-cutter.ts";

/** All pieces of these bytes, which arrive in chunks. */
function cut(bytes: Buffer, cuts: readonly number[], maxBytes: number): readonly Piece[] {
  const cutter = createLineCutter(maxBytes);
  const bounds = [0, ...cuts.map((at) => at % (bytes.length + 1)), bytes.length].toSorted(
    (a, b) => a - b,
  );
  const pieces = bounds
    .slice(1)
    .flatMap((end, index) => cutter.push(bytes.subarray(bounds[index], end)));
  return [...pieces, ...cutter.rest()];
}

/** The bytes of the pieces. Pieces do not show whether the last line has a newline. */
function join(pieces: readonly Piece[]): Buffer {
  const parts = pieces.flatMap(({ bytes, continues }, index) =>
    continues || index === pieces.length - 1 ? [bytes] : [bytes, Buffer.from("\n")],
  );
  return Buffer.concat(parts);
}

const OUTPUT = fc.oneof(
  fc
    .array(fc.constantFrom("a", "é", "€", "😀", "\n", "\r", "\0", "\u2028"), { maxLength: 80 })
    .map((characters) => Buffer.from(characters.join(""))),
  fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.from(bytes)),
);

describe("cutting output into lines", () => {
  it("the pieces have exactly the bytes of the output, for any chunks", () => {
    fc.assert(
      fc.property(
        OUTPUT,
        fc.array(fc.nat(1_000)),
        fc.integer({ min: 4, max: 20 }),
        (bytes, cuts, max) => {
          const without = bytes.at(-1) === 10 ? bytes.subarray(0, -1) : bytes;
          expect(join(cut(bytes, cuts, max))).toEqual(without);
        },
      ),
    );
  });

  it("the pieces are the same for any chunks", () => {
    fc.assert(
      fc.property(
        OUTPUT,
        fc.array(fc.nat(1_000)),
        fc.integer({ min: 4, max: 20 }),
        (bytes, cuts, max) => {
          expect(cut(bytes, cuts, max)).toEqual(cut(bytes, [], max));
        },
      ),
    );
  });

  it("the pieces stay within the bound, and no character is cut", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "grapheme", maxLength: 60 }),
        fc.integer({ min: 4, max: 20 }),
        (text, max) => {
          for (const { bytes } of cut(Buffer.from(text), [], max)) {
            expect(bytes.length).toBeLessThanOrEqual(max);
            expect(Buffer.from(bytes.toString())).toEqual(bytes);
          }
        },
      ),
    );
  });

  it("empty lines, and a last line without a newline, are kept", () => {
    const lines = cut(Buffer.from("\na\n\nb"), [], 10).map(({ bytes }) => bytes.toString());
    expect(lines).toEqual(["", "a", "", "b"]);
    expect(cut(Buffer.from("a\n"), [], 10)).toHaveLength(1);
    expect(cut(Buffer.from(""), [], 10)).toEqual([]);
  });
});
