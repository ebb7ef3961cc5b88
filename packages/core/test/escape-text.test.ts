import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { escapeJson, escapeText } from "../src/rules/escape-text.ts";

/** Code points that show nothing by themselves, or are no characters. This list is not the pattern of the source. */
const UNSEEN = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{DI}\u2800\uFFF9-\uFFFB]/u;
const KEPT = /\u200C|\u200D|\uFE0F/g;

/** Any text, with many characters that show nothing or change what others show. */
const TEXT = fc
  .array(
    fc.oneof(
      fc.string({ unit: "grapheme", maxLength: 3 }),
      fc.integer({ min: 0, max: 0xff }).map((code) => String.fromCodePoint(code)),
      fc.integer({ min: 0x2000, max: 0x2070 }).map((code) => String.fromCodePoint(code)),
      fc.integer({ min: 0xe0000, max: 0xe01ef }).map((code) => String.fromCodePoint(code)),
      fc.constantFrom("\u061C", "\uFEFF", "\uD800", "\u001B[31m", "\u009B2J", "\r\n", "\uFE0F"),
      fc.constantFrom(
        "\u00AD",
        "\u034F",
        "\u115F",
        "\u17B4",
        "\u180E",
        "\u2800",
        "\u3164",
        "\uFFA0",
        "\u200D",
        "\u0301",
      ),
    ),
  )
  .map((parts) => parts.join(""));

describe("escaped text", () => {
  it("no invisible character is left, except joiners and selectors of emoji", () => {
    fc.assert(
      fc.property(TEXT, (text) => {
        expect(escapeText(text).replaceAll(KEPT, "")).not.toMatch(UNSEEN);
      }),
      { numRuns: 2_000 },
    );
  });

  it("the text can be read back from its escapes if it has no backslash of its own", () => {
    const short = { n: "\n", r: "\r", t: "\t" };
    fc.assert(
      fc.property(TEXT, (text) => {
        fc.pre(!text.includes("\\"));
        const read = escapeText(text).replaceAll(
          /\\(?:u(.{4})|(.))/g,
          (_, hex?: string, one?: string) =>
            hex === undefined
              ? short[one as keyof typeof short]
              : String.fromCharCode(Number.parseInt(hex, 16)),
        );
        expect(read).toBe(text);
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    ["zero width space", "Nightly\u200B backup", "Nightly\\u200b backup"],
    ["soft hyphen, word joiner", "De\u00ADny \u2060Deny", "De\\u00adny \\u2060Deny"],
    ["fillers, blank braille", "\u3164\u115F\uFFA0\u2800", "\\u3164\\u115f\\uffa0\\u2800"],
    ["tags", "a\u{E0061}\u{E007F}", "a\\udb40\\udc61\\udb40\\udc7f"],
    ["a mark without a letter", "\u0338a \u0301", "\\u0338a \\u0301"],
    ["directions, line ends, controls", "\u202Eexe\u2028\n\u0007", "\\u202eexe\\u2028\\n\\u0007"],
  ])("%s is escaped", (_, text, escaped) => {
    expect(escapeText(text)).toBe(escaped);
  });

  it.each([
    ["emoji", "👨‍👩‍👧‍👦 🏳️‍🌈 👩🏽‍💻 ❤️ ⭐️ 7️⃣ #️⃣ 🇩🇪 👁️‍🗨️"],
    ["Persian", "می‌خواهم خانه‌ها"],
    ["Hindi, Bengali, Malayalam, Sinhala", "क्‍ष शर्‌मा র‍্য ന്‍ ශ්‍රී"],
    ["French, Japanese, Arabic, Hebrew", "Voilà\u00A0! 定例　会議 ﴾٣﴿ שָׁלוֹם"],
    ["decomposed letters, tokens of Hindi", "Cafe\u0301 ि"],
    ["a Windows path", "C:\\users\\ada"],
  ])("normal text stays as it is: %s", (_, text) => {
    expect(escapeText(text)).toBe(text);
  });

  it("escaped JSON has the same value, and each of its characters can be seen", () => {
    fc.assert(
      fc.property(fc.jsonValue(), TEXT, (value, text) => {
        for (const json of [JSON.stringify(value), JSON.stringify({ [text]: text })]) {
          const escaped = escapeJson(json);
          expect(JSON.parse(escaped)).toEqual(JSON.parse(json));
          expect(escaped.replaceAll(KEPT, "")).not.toMatch(UNSEEN);
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
