import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeSummary } from "../src/encode-summary.ts";
import { splitJson } from "../src/split-json.ts";

/** The longest summary, in characters. */
const MOST_LENGTH = 400;

describe("a payload's text", () => {
  it("a summary begins as the payload's JSON does, and is no longer than a row can show", () => {
    fc.assert(
      fc.property(fc.jsonValue({ depthSize: "large", maxDepth: 5 }), (payload) => {
        fc.pre(typeof payload !== "string" && payload !== null);
        const json = JSON.stringify(payload);
        const summary = encodeSummary(payload);
        expect(summary.length).toBeLessThanOrEqual(MOST_LENGTH);
        // A string that is cut is closed at the cut.
        const common = json.length <= MOST_LENGTH ? json : json.slice(0, MOST_LENGTH / 4);
        expect(summary.startsWith(common)).toBe(true);
      }),
    );
  });

  it("a summary of a larger payload takes no more time", () => {
    let read = 0;
    const payload = Array.from({ length: 10_000 }, () => ({
      get item() {
        read += 1;
        return "x".repeat(100);
      },
    }));
    expect(encodeSummary(payload)).toHaveLength(MOST_LENGTH);
    expect(read).toBeLessThan(10);
  });

  it("a summary is the words of a payload that has nothing else", () => {
    expect(encodeSummary({ line: "two\nlines" })).toBe("two ⏎ lines");
    expect(encodeSummary({ phase: "write" })).toBe("write");
    expect(encodeSummary("words")).toBe("words");
    expect(encodeSummary("[info] started")).toBe("[info] started");
    expect(encodeSummary(null)).toBe("");
    expect(encodeSummary({ line: "x", index: 1 })).toBe('{"line":"x","index":1}');
  });

  it("a text that could be read as JSON is shown with its quotes, so that it differs from that JSON", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (payload) => {
        fc.pre(payload !== null && payload !== "");
        const text = JSON.stringify(payload);
        expect(encodeSummary(text)).not.toBe(encodeSummary(payload));
      }),
    );
    expect(encodeSummary('{"street":"Main 1"}')).toBe('"{\\"street\\":\\"Main 1\\"}"');
    expect(encodeSummary({ street: "Main 1" })).toBe('{"street":"Main 1"}');
    expect(encodeSummary(" 7 ")).toBe('" 7 "');
  });

  it("a summary shows characters that end a line or reverse a row, and removes a terminal's colours", () => {
    expect(encodeSummary("one\rtwo\u2028three\r\n\r\nfour\u0085five")).toBe(
      "one ⏎ two ⏎ three ⏎ four ⏎ five",
    );
    expect(encodeSummary("\u001B[1;31mred\u001B[0m \u001B]8;;https://x\u0007link")).toBe(
      "red link",
    );
    expect(encodeSummary("a\u0000b\tc\u007F")).toBe("a␀b c␡");
    expect(encodeSummary("\u202Eedoc")).toBe("\\u202eedoc");
    expect(encodeSummary({ "\u2066x": "שלום" })).toBe('{"\\u2066x":"שלום"}');
  });

  it("the coloured pieces together are exactly the text", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(0, 2), (payload, indent) => {
        const json = JSON.stringify(payload, null, indent);
        const pieces = splitJson(json);
        expect(pieces.map(({ text }) => text).join("")).toBe(json);
        // Each coloured piece is JSON: no piece ends within a string or a number.
        for (const { kind, text } of pieces) if (kind !== "rest") JSON.parse(text);
      }),
    );
    expect(splitJson('{"a":[1,"b",null]}').map(({ kind }) => kind)).toEqual([
      "rest",
      "name",
      "rest",
      "rest",
      "word",
      "rest",
      "string",
      "rest",
      "word",
      "rest",
    ]);
  });
});
