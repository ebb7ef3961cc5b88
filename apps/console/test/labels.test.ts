import fc from "fast-check";
import { expect, it } from "vitest";
import { labelsOf } from "../src/labels.ts";

/** Pieces that look like other pieces, or that show nothing. */
const PIECE = fc.constantFrom(
  "De",
  "ny",
  "n",
  " ",
  "  ",
  "\n",
  "\\",
  '"',
  "\\u200b",
  "\\u00e9",
  "u200b",
  "\u200B",
  "\u00AD",
  "\u2060",
  "\u034F",
  "\u202E",
  "\u180E",
  "\u{E0061}",
  "\uFEFF",
  "\u3164",
  "\u115F",
  "\uFFA0",
  "\u2800",
  "\u00A0",
  "\u3000",
  "\u2003",
  "\u202F",
  "\u00E9",
  "e\u0301",
  "\u00C5",
  "\u212B",
  "A\u030A",
  "\uFB01",
  "fi",
  "\uFF24",
  "\u0301",
  "\u{1F468}",
  "\u200D",
  "\u260E",
  "\uFE0F",
  "\uFE0E",
  "\u0645",
  "\u06CC",
  "\u200C",
  "\uD800",
  "\uDBFF",
);

/** The text as a page shows it: without what Unicode ignores, with one space for all blanks, and one form of each character. */
function shown(text: string): string {
  return text
    .replaceAll(/[\p{DI}\p{Cc}]/gu, (one) => (/\s/.test(one) ? " " : ""))
    .replaceAll(/\p{Cs}/gu, "\uFFFD")
    .replaceAll("\u2800", " ")
    .normalize("NFKC")
    .replaceAll(/\s+/g, " ")
    .trim();
}

it("no two answers look the same, and none looks empty", () => {
  const text = fc.array(PIECE, { maxLength: 4 }).map((pieces) => pieces.join(""));
  const texts = fc.uniqueArray(text, { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(texts, (options) => {
      const looks = labelsOf(options).map(shown);
      expect(looks).not.toContain("");
      expect(new Set(looks).size).toBe(options.length);
    }),
    { numRuns: 1_000 },
  );
});

it("answers with no visible difference are shown as JSON, and others as they are", () => {
  expect(labelsOf(["Approve", "Den\u200By", "خانه\u200Cها", "❤️ Yes"])).toEqual([
    "Approve",
    "Den\\u200by",
    "خانه\u200Cها",
    "❤️ Yes",
  ]);
  expect(labelsOf(["Deny", " Deny", "De  ny", "De ny"])).toEqual([
    '"Deny"',
    '" Deny"',
    '"De \\u0020ny"',
    '"De ny"',
  ]);
  expect(labelsOf(["caf\u00E9", "cafe\u0301"])).toEqual(['"caf\\u00e9"', '"cafe\\u0301"']);
  expect(labelsOf(["", "No"])).toEqual(['""', '"No"']);
});
