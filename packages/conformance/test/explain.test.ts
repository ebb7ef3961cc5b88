import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { assertEqual } from "../src/assert.ts";
import { findUnexplained } from "../src/races/explain.ts";
import type { RaceOperation } from "../src/races/operation.ts";

/** A call on one number, which the model keeps. */
function call(
  text: `set ${number}` | `get ${number}`,
  begunAt: number,
  endedAt: number,
): RaceOperation {
  const [verb, value] = text.split(" ");
  return {
    client: "1",
    asked: { isKeyed: false, ask: () => Promise.reject(new Error("It was made.")), unanswered: [] },
    text,
    begunAt,
    endedAt,
    runId: "x",
    after: null,
    judgeFirst: null,
    judge({ deletedFences: numbers }) {
      if (verb === "set") numbers.set("x", Number(value));
      else assertEqual(Number(value), numbers.get("x") ?? 0, "the number");
    },
  };
}

describe("the order of calls that race", () => {
  it("S5: calls that overlap have either order, if it explains what they answered", () => {
    for (const seen of [0, 1] as const) {
      const race = [call("set 1", 1, 3), call(`get ${seen}`, 2, 4)];
      expect(findUnexplained(race)).toBeNull();
    }
  });

  it("S5: a call that began when another had ended comes after it", () => {
    const race = [call("set 1", 1, 2), call("get 0", 3, 4)];
    expect(findUnexplained(race)).toBe(
      [
        "no order of the calls explains their answers. At most these can come first:",
        "  client 1, 1 to 2: set 1",
        "Then none of these fits:",
        "  client 1, 3 to 4: get 0: Expected the number to be 1, got 0.",
      ].join("\n"),
    );
  });

  it("S5: an answer that no order gives is found, even if each pair of calls has an order", () => {
    const race = [
      call("set 1", 1, 10),
      call("set 2", 2, 11),
      call("get 1", 3, 4),
      call("get 2", 5, 6),
      call("get 1", 7, 8),
    ];
    expect(findUnexplained(race)).not.toBeNull();
  });

  it("S2: a part of a call that comes after another takes effect after it", () => {
    const first = call("set 1", 1, 5);
    const second = { ...call("set 2", 1, 5), after: first };
    expect(findUnexplained([first, second, call("get 2", 6, 7)])).toBeNull();
    expect(findUnexplained([first, second, call("get 1", 6, 7)])).not.toBeNull();
  });

  it("S7: a call without an answer took effect at some time after it began, or never", () => {
    const open = call("set 1", 3, Infinity);
    for (const seen of [0, 1] as const) {
      expect(findUnexplained([open, call(`get ${seen}`, 4, 5)])).toBeNull();
    }
    expect(findUnexplained([open, call("get 1", 1, 2)])).not.toBeNull();
    expect(findUnexplained([open, call("get 1", 4, 5), call("get 0", 6, 7)])).not.toBeNull();
  });

  it("S7: both parts of a call without an answer may have taken effect between two answers, in their order", () => {
    const first = call("set 1", 3, Infinity);
    const second = { ...call("set 2", 3, Infinity), after: first };
    for (const seen of [0, 1, 2] as const) {
      expect(findUnexplained([first, second, call(`get ${seen}`, 4, 5)])).toBeNull();
    }
    const backwards = [first, second, call("get 2", 4, 5), call("get 1", 6, 7)];
    expect(findUnexplained(backwards)).not.toBeNull();
  });

  it("S7: a call that was sent twice took effect before its answer, once more at the most", () => {
    const { judge } = call("set 1", 1, 8);
    const second = (text: `set ${number}` | `get ${number}`): RaceOperation => ({
      ...call(text, 1, 8),
      judgeFirst: judge,
    });
    expect(findUnexplained([second("get 1")])).toBeNull();
    expect(findUnexplained([second("get 2")])).not.toBeNull();
    expect(findUnexplained([second("get 1"), call("get 0", 9, 10)])).not.toBeNull();
  });

  it("S5: calls of any length that took effect one after the other are explained", () => {
    const step = fc.record({
      isSet: fc.boolean(),
      value: fc.nat(3),
      early: fc.nat(9),
      late: fc.nat(9),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 8 }), (steps) => {
        let number = 0;
        const race = steps.map(({ isSet, value, early, late }, index) => {
          // It took effect at its instant, and may have begun earlier and ended later.
          const at = index * 4;
          if (isSet) number = value;
          const text = isSet ? (`set ${value}` as const) : (`get ${number}` as const);
          return call(text, at - early, at + 1 + late);
        });
        expect(findUnexplained(race)).toBeNull();
      }),
    );
  });
});
