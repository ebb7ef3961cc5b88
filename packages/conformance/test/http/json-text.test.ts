import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compact, itemTexts, memberText, unescapeBreaks } from "../../src/http/json-text.ts";
import { jsonText } from "../../src/json-text-arbitrary.ts";

describe("the judge's view of JSON text", () => {
  it("W1: gives an item of a list, and a member of an object, token for token", () => {
    fc.assert(
      fc.property(fc.array(jsonText, { maxLength: 5 }), fc.boolean(), (texts, spaced) => {
        const [comma, colon] = spaced ? [" ,\n", " : "] : [",", ":"];
        const expected = texts.map(compact);
        expect(itemTexts(`[${texts.join(comma)}]`)).toEqual(expected);
        const members = texts.map((text, at) => `"k${at}"${colon}${text}`);
        const object = `{ ${members.join(comma)} }`;
        expect(texts.map((_, at) => memberText(object, `k${at}`))).toEqual(expected);
        expect(memberText(object, "none")).toBeNull();
      }),
    );
  });

  it("W1: takes the white space between tokens away, and nothing else", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(compact(JSON.stringify(value, null, 3))).toBe(JSON.stringify(value));
      }),
    );
    expect(compact('{ "a b" : [ 1.0 , "\\" \u2028" ] }')).toBe('{"a b":[1.0,"\\" \u2028"]}');
  });

  it("W1: a member that comes twice is not a member", () => {
    expect(memberText('{"a":1,"b":2,"a":1}', "a")).toBeNull();
    expect(memberText('{"a":1,"b":2,"\\u0061":1}', "a")).toBeNull();
  });

  it("W1: undoes the escapes of line breaks alone, and no escaped backslash", () => {
    expect(unescapeBreaks('"\\u2028\\u2029\\u0085\\n\\u0041"')).toBe(
      '"\u2028\u2029\u0085\\n\\u0041"',
    );
    expect(unescapeBreaks('"\\\\u2028\\\\\\u2028"')).toBe('"\\\\u2028\\\\\u2028"');
  });
});
