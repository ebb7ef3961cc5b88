import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isLonger, JsonText, utf8Bytes } from "../src/rules/json-text.ts";
import { jsonSample } from "./json-sample.ts";

const encoder = new TextEncoder();

describe("JsonText", () => {
  it("W1, S8: JsonText keeps any JSON text token for token, without the white space between its tokens", () => {
    fc.assert(
      fc.property(jsonSample, ({ raw, kept }) => {
        expect(JsonText.parse(raw).text).toBe(kept);
        expect(JsonText.parse(kept).text).toBe(kept);
      }),
      { numRuns: 1_000 },
    );
  });

  it("W1: JsonText writes a value as JSON.stringify does, for any strings", () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: "binary", maxDepth: 3 }), (value) => {
        const { text } = JsonText.of(value);
        expect(text).toBe(JSON.stringify(value));
        expect(text.isWellFormed()).toBe(true);
      }),
    );
  });

  it("W1: JsonText takes a document of any depth", () => {
    const depth = 100_000;
    const text = "[".repeat(depth) + "]".repeat(depth);
    expect(JsonText.parse(text.replaceAll("[", "[ ")).text).toBe(text);
  });

  it("W1: an absent payload is null, and a JsonText stays as it is", () => {
    const text = JsonText.parse("1.0");
    expect(JsonText.of(text)).toBe(text);
    expect(JsonText.of(undefined).text).toBe("null");
  });

  it("S8: JsonText keeps raw JSON in a value, in well-formed Unicode", () => {
    const { rawJSON } = JSON as unknown as { readonly rawJSON: (text: string) => unknown };
    expect(JsonText.of({ n: rawJSON("1e2"), s: rawJSON('"\ud800"') }).text).toBe(
      '{"n":1e2,"s":"\\ud800"}',
    );
  });

  it.each([
    "",
    " ",
    "{",
    "[1,]",
    "{a:1}",
    "'a'",
    "01",
    "NaN",
    "\ufeff1",
    '"\u0000"',
    "1 2",
    "undefined",
  ])("W3: text that is not JSON is invalid_event: %j", (text) => {
    expect(() => JsonText.parse(text)).toThrow(
      expect.objectContaining({ code: "invalid_event", cause: expect.any(SyntaxError) }),
    );
  });

  it("W3: a value without a JSON text is invalid_event", () => {
    const cycle: Record<string, unknown> = {};
    cycle["self"] = cycle;
    for (const value of [cycle, 1n, () => 1, Symbol("s")]) {
      expect(() => JsonText.of(value)).toThrow(expect.objectContaining({ code: "invalid_event" }));
    }
  });
});

describe("utf8Bytes", () => {
  it("W9: utf8Bytes counts the bytes that an encoder writes", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(utf8Bytes(text)).toBe(encoder.encode(text).length);
      }),
    );
  });

  it("W9: utf8Bytes counts the bytes of long text too", () => {
    const unit = fc.constantFrom("x", "é", "\u2028", "😀");
    fc.assert(
      fc.property(unit, fc.integer({ min: 5_400, max: 5_500 }), (one, count) => {
        expect(utf8Bytes(one.repeat(count))).toBe(encoder.encode(one).length * count);
      }),
    );
  });

  it("W9: isLonger answers as a count would", () => {
    const bound = fc.nat({ max: 60 });
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 40 }), bound, (text, maxBytes) => {
        expect(isLonger(text, maxBytes)).toBe(encoder.encode(text).length > maxBytes);
      }),
    );
  });
});
