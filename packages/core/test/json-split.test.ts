import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { eachJsonItem, eachJsonMember } from "../src/wire/json-split.ts";
import { arraySample, objectSample } from "./json-sample.ts";

const SPACE = /^[ \n\r\t]+|[ \n\r\t]+$/g;

describe("eachJsonItem", () => {
  it("W1: eachJsonItem gives each item as its text in the array", () => {
    fc.assert(
      fc.property(arraySample, ({ raw, parts }) => {
        expect([...eachJsonItem(raw)]).toStrictEqual(
          parts.map((part) => part.raw.replace(SPACE, "")),
        );
      }),
      { numRuns: 500 },
    );
  });
});

describe("eachJsonMember", () => {
  it("W1: eachJsonMember gives each member in the order of the text, repeated keys included", () => {
    fc.assert(
      fc.property(objectSample, ({ raw, parts }) => {
        expect([...eachJsonMember(raw)]).toStrictEqual(
          parts.map(({ key, value }) => ({
            key: JSON.parse(key.raw) as string,
            text: value.raw.replace(SPACE, ""),
          })),
        );
      }),
      { numRuns: 500 },
    );
  });
});

describe("one at a time", () => {
  it("the first item comes without a scan of the rest, so that a refusal of it costs no more", () => {
    // After the first comes text that no parser accepts: to read it would throw, or not end.
    expect(eachJsonMember('{"a":1,"\\x":').next().value).toStrictEqual({ key: "a", text: "1" });
    expect(eachJsonItem('[1,"').next().value).toBe("1");
  });
});
