import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type ChangeCursor,
  checkChangeCursor,
  cursorFor,
  encodeChangeCursor,
  isOver,
  parseChangeCursor,
  scopeOf,
} from "../src/rules/change-cursor.ts";
import { CURSOR_MS } from "../src/rules/changed.ts";
import { DIGEST_END, LIVE_GROUPS } from "../src/rules/live-groups.ts";
import { MOST_WITNESSES, NO_WITNESSES } from "../src/rules/witnesses.ts";

const digest = fc.integer({ min: 0, max: DIGEST_END - 1 });
const group = fc.nat(LIVE_GROUPS - 1);
const cursor: fc.Arbitrary<ChangeCursor> = fc.record({
  scope: digest,
  atMs: fc.nat(Number.MAX_SAFE_INTEGER),
  first: group,
  part: fc.nat(Number.MAX_SAFE_INTEGER),
  digests: fc
    .uniqueArray(fc.tuple(group, digest), {
      selector: ([one]) => one,
      maxLength: LIVE_GROUPS,
      size: "max",
    })
    .map((all) => new Map(all)),
  witnesses: fc
    .record({ all: fc.array(digest, { maxLength: MOST_WITNESSES, size: "max" }), at: fc.nat() })
    .map(({ all, at }) => {
      const count = at % (all.length + 1);
      return { found: all.slice(0, count), missing: all.slice(count) };
    }),
  mark: fc.stringMatching(/^[A-Za-z0-9:,_~-]{0,2000}$/),
});

describe("the text of a change cursor", () => {
  it("S29: a cursor is read as it was written, and needs no escape in a URL", () => {
    fc.assert(
      fc.property(cursor, (one) => {
        const text = encodeChangeCursor(one);
        expect(parseChangeCursor(text)).toEqual(one);
        expect(checkChangeCursor(text)).toBe(text);
        expect(text).toMatch(/^[A-Za-z0-9.:,_~-]*$/);
        expect(text.length).toBeLessThanOrEqual(4_700);
      }),
    );
  });

  it("S29: no other text is a cursor", () => {
    fc.assert(
      fc.property(cursor, fc.nat(), fc.string({ minLength: 1, maxLength: 3 }), (one, at, put) => {
        const text = encodeChangeCursor(one);
        const cut = text.slice(0, at % text.length);
        const changed = cut + put + text.slice(cut.length + put.length);
        const parsed = parseChangeCursor(changed);
        // What is read must be what would be written: so two texts never mean the same.
        if (parsed !== null) expect(parseChangeCursor(encodeChangeCursor(parsed))).toEqual(parsed);
      }),
    );
    for (const text of [
      "",
      "0",
      "1.......",
      "1.a.b.zz.0....",
      "1.a.b.0.0.00...",
      "2.a.b.0.0....",
      "1.a.b.0.zzzzzzzzzzzz....",
      `1.a.b.0.0....${"x".repeat(9_000)}`,
    ])
      expect(parseChangeCursor(text)).toBeNull();
  });

  it("S29: a group that is not there, or comes twice, and a digest that is too large make no cursor", () => {
    for (const known of ["7400000000", "zz00000000", "0000000000" + "0000000000", "00zzzzzzzz"])
      expect(parseChangeCursor(`1.a.b.0.0.${known}...`)).toBeNull();
  });

  it("S29: a text with a witness that is cut or too large, or with more than ten, is not a cursor", () => {
    const six = "00000001".repeat(6);
    expect(parseChangeCursor("1.a.b.0.0..00000001.00000002.")).not.toBeNull();
    for (const text of ["0000001.", ".0000001", "zzzzzzzz.", ".zzzzzzzz", `${six}.${six}`])
      expect(parseChangeCursor(`1.a.b.0.0..${text}.`)).toBeNull();
  });

  it("S29: a value that is no cursor is invalid, and the error says what to do", () => {
    for (const given of ["x", 7 as unknown as string, "12"]) {
      expect(() => checkChangeCursor(given)).toThrow(
        expect.objectContaining({
          code: "invalid_cursor",
          message: expect.stringContaining("Begin without one"),
        }),
      );
    }
    expect(checkChangeCursor(null)).toBeNull();
  });
});

describe("whom a change cursor is for", () => {
  it("S29: a cursor is for the owner and the topic that it was made for", () => {
    const scope = fc.record({
      ownerId: fc.string({ minLength: 1 }),
      topic: fc.option(fc.string()),
    });
    fc.assert(
      fc.property(cursor, scope, scope, (one, mine, other) => {
        fc.pre(JSON.stringify(mine) !== JSON.stringify(other));
        const text = encodeChangeCursor({ ...one, scope: scopeOf(mine) });
        expect(cursorFor(text, mine)).toEqual({ ...one, scope: scopeOf(mine) });
        expect(cursorFor(text, other)).toBeNull();
        expect(cursorFor(null, mine)).toBeNull();
      }),
    );
  });

  it("S29: a cursor is over after an hour, and if the clock was set back by more", () => {
    const one = {
      scope: 0,
      atMs: 10 * CURSOR_MS,
      first: 0,
      part: 0,
      digests: new Map(),
      witnesses: NO_WITNESSES,
      mark: "",
    };
    expect(isOver(one, one.atMs)).toBe(false);
    expect(isOver(one, one.atMs + CURSOR_MS)).toBe(false);
    expect(isOver(one, one.atMs + CURSOR_MS + 1)).toBe(true);
    expect(isOver(one, one.atMs - CURSOR_MS - 1)).toBe(true);
  });
});
