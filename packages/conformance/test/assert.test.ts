import { describe, expect, it } from "vitest";
import { assertEqual } from "../src/assert.ts";

describe("assertEqual", () => {
  it.each([
    [{ a: undefined }, {}, `Expected it to be {}, got {"a":undefined}.`],
    [[undefined, 1], [null, 1], "Expected it to be [null,1], got [undefined,1]."],
    ["undefined", undefined, `Expected it to be undefined, got "undefined".`],
    [{ a: 1n }, { a: 1 }, `Expected it to be {"a":1}, got {"a":"1n (a bigint)"}.`],
    [["ad\u00e9"], ["ade\u0301"], `Expected it to be ["ade\\u0301"], got ["ad\\u00e9"].`],
  ])("shows the difference between %o and %o", (actual, expected, message) => {
    expect(() => assertEqual(actual, expected, "it")).toThrow(message);
  });

  it("shows of large values only the fields that differ", () => {
    const run = { runId: "a".repeat(60), phase: null, events: [{ at: 1 }, { at: 2 }], fence: 3 };
    const { fence: _fence, ...other } = run;
    const actual = {
      ...other,
      phase: "plan",
      events: [{ at: 1 }, { at: 3 }, { at: 4 }],
      worker: "w",
    };
    expect(() => assertEqual(actual, run, "the head")).toThrow(
      'Expected the head to have phase null, got "plan"; events.length 2, got 3; events[1].at 2, got 3; no events[2], got {"at":4}; fence 3, got none; 1 more field differs.',
    );
  });
});
