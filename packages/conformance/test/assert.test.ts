import { describe, expect, it } from "vitest";
import { assertEqual } from "../src/assert.ts";

describe("assertEqual", () => {
  it.each([
    [{ a: undefined }, {}, `Expected it to be {}, got {"a":undefined}.`],
    [[undefined, 1], [null, 1], "Expected it to be [null,1], got [undefined,1]."],
    ["undefined", undefined, `Expected it to be undefined, got "undefined".`],
    [{ a: 1n }, { a: 1 }, `Expected it to be {"a":1}, got {"a":"1n (a bigint)"}.`],
  ])("shows the difference between %o and %o", (actual, expected, message) => {
    expect(() => assertEqual(actual, expected, "it")).toThrow(message);
  });
});
