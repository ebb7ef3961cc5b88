import fc from "fast-check";
import { expect, it } from "vitest";
import { parseAnswer } from "../src/parse-answer.ts";

const TYPES = ["object", "array", "string", "number", "integer", "boolean", "null"];

/** The types of a value, by the JSON Schema specification. */
function typesOf(value: unknown): readonly string[] {
  if (value === null) return ["null"];
  if (Array.isArray(value)) return ["array"];
  return Number.isInteger(value) ? ["number", "integer"] : [typeof value];
}

it("an answer is the value of its JSON if that has one of the types, and is refused otherwise", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.subarray(TYPES), (value, types) => {
      const text = JSON.stringify(value, null, 1);
      const fits = types.length === 0 || typesOf(value).some((type) => types.includes(type));
      if (fits) expect(JSON.parse(parseAnswer(text, types).text)).toEqual(JSON.parse(text));
      else expect(() => parseAnswer(text, types)).toThrow(`Expected ${types.join(" or ")}, got `);
    }),
  );
});

it("any other text is refused, and the digits of a long number stay", () => {
  for (const text of ["", "Main 1", "{street: 1}", "{}{}", "NaN"])
    expect(() => parseAnswer(text, [])).toThrow("text that is not JSON. Nothing was sent.");
  expect(parseAnswer(' {"n": 12345678901234567890} ', []).text).toBe('{"n":12345678901234567890}');
});
