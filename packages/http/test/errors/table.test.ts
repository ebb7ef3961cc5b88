import { readFileSync } from "node:fs";
import { STREAM_ERRORS } from "@tm/run-events-core/wire";
import { describe, expect, it } from "vitest";
import { ALL_CODES, ERROR_CODES, PROBLEM_CODES } from "../../src/exchange/error-codes.ts";
import { encodeErrors, readErrors } from "./errors-page.ts";

const WIRE = readFileSync(new URL("../../WIRE.md", import.meta.url), "utf8");
const W3 = WIRE.slice(WIRE.indexOf(`<a id="w3">`), WIRE.indexOf(`<a id="w4">`));

/** A code, its status and the members of its problems. */
type Row = readonly [code: string, status: number, members: readonly string[]];

/** The table of W3: a row a code. */
function rowsOfWire(): readonly Row[] {
  return [...W3.matchAll(/^ *\| (\d{3}) +\|([^|]*)\|/gm)].flatMap(([, status = "", cell = ""]) =>
    // What comes after a semicolon is headers.
    [...(cell.split(";")[0] ?? "").matchAll(/`(\w+)`(?: \(\+ ([^)]*)\))?/g)].map(
      ([, code = "", more = ""]): Row => [
        code,
        Number(status),
        Array.from(more.matchAll(/`(\w+)`/g), ([, name = ""]) => name),
      ],
    ),
  );
}

describe("ERROR_CODES", () => {
  it("W3: has the codes of the wire, with their statuses and members", () => {
    const rows = PROBLEM_CODES.map((code): Row => {
      const { statuses, members = [] } = ERROR_CODES[code];
      return [code, Number(statuses[0]), members];
    });
    const byCode = ([one]: Row, [other]: Row): number => (one < other ? -1 : 1);
    expect(rows.toSorted(byCode)).toEqual(rowsOfWire().toSorted(byCode));
  });

  it("W22: has the codes of `error` frames, and no other code without a status", () => {
    const ofFrames = ALL_CODES.filter((code) => Object.hasOwn(STREAM_ERRORS, code));
    expect(ofFrames.toSorted()).toEqual(Object.keys(STREAM_ERRORS).toSorted());
    const bare = ALL_CODES.filter((code) => ERROR_CODES[code].statuses.length === 0);
    expect(bare.filter((code) => !Object.hasOwn(STREAM_ERRORS, code))).toEqual([]);
    // Only a code that a frame can have means something there.
    const explained = ALL_CODES.filter((code) => ERROR_CODES[code].stream !== undefined);
    expect(explained.filter((code) => !Object.hasOwn(STREAM_ERRORS, code))).toEqual([]);
  });

  it("W3: a code fits a path as it is, and no two codes have the same title", () => {
    for (const code of ALL_CODES) expect(code).toMatch(/^[a-z]+(_[a-z]+)*$/);
    const titles = ALL_CODES.map((code) => ERROR_CODES[code].title);
    expect(new Set(titles).size).toBe(titles.length);
    for (const title of titles) expect(title).toMatch(/^[A-Z][a-z ]{9,48}[a-z]$/);
  });

  it("has whole sentences, without links", () => {
    for (const code of ALL_CODES) {
      const { cause, cure, example, stream = "It ends." } = ERROR_CODES[code];
      for (const text of [cause, cure, stream]) expect(text).toMatch(/^[A-Z`][^\n]*\.$/);
      expect(example).toMatch(/\S\.$/);
      expect(`${cause}${cure}${example}${stream}`).not.toMatch(/\]\(|https?:/);
    }
  });
});

describe("docs/errors.md", () => {
  it("is written from the table", () => {
    expect(readErrors(), "Write the page again: pnpm run errors").toBe(encodeErrors());
  });

  it("has each code once, under a heading of its own", () => {
    const headings = Array.from(encodeErrors().matchAll(/^### (.*)$/gm), ([, code]) => code);
    expect(headings).toEqual(ALL_CODES);
  });
});
