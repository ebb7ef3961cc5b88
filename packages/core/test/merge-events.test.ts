import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { SealedDraft } from "../src/rules/lifecycle.ts";
import { mergeEvents, type Merges } from "../src/work/merge-events.ts";
import { draft } from "./sent-batches.ts";

const TEXT: Merges = { TOKEN: (texts: string[]) => texts.join("") };

function shown(events: readonly SealedDraft[]): readonly unknown[] {
  return events.map(({ eventType, payload }) => [eventType, JSON.parse(payload.text)]);
}

/** Neighbours of a type as one, by the plainest loop. */
function naive(events: readonly SealedDraft[]): readonly unknown[] {
  const all: [string, unknown][] = [];
  for (const { eventType, payload } of events) {
    const last = all.at(-1);
    const value: unknown = JSON.parse(payload.text);
    if (eventType === "TOKEN" && last?.[0] === "TOKEN") last[1] = String(last[1]) + String(value);
    else all.push([eventType, value]);
  }
  return all;
}

const events = fc.array(
  fc.tuple(fc.constantFrom("TOKEN", "TOKEN", "OTHER"), fc.string({ unit: "binary" })),
  { maxLength: 40 },
);

describe("mergeEvents", () => {
  it("W41: neighbours of a type become one event, and no others", () => {
    fc.assert(
      fc.property(events, (given) => {
        const drafts = given.map(([eventType, payload]) => draft(payload, eventType));
        expect(shown(mergeEvents(drafts, TEXT))).toStrictEqual(naive(drafts));
      }),
    );
  });

  it("W41: a type that is merged nowhere, or is a name of every object, stays as it is", () => {
    const drafts = [draft(1, "A"), draft(2, "A")];
    expect(mergeEvents(drafts, TEXT)).toStrictEqual(drafts);
    expect(mergeEvents(drafts, {})).toStrictEqual(drafts);
  });

  it("W41: a function gets all neighbours in one call, the earliest first, as values that it may change", () => {
    const seen: string[] = [];
    const drafts = [draft([1]), draft([2]), draft([3])];
    const merges: Merges = {
      TOKEN(all: number[][]) {
        seen.push(JSON.stringify(all));
        const [first = [], ...rest] = all;
        for (const one of rest) first.push(...one);
        return first;
      },
    };
    expect(shown(mergeEvents(drafts, merges))).toStrictEqual([["TOKEN", [1, 2, 3]]]);
    expect(seen).toStrictEqual(["[[1],[2],[3]]"]);
    expect(drafts.map(({ payload }) => payload.text)).toStrictEqual(["[1]", "[2]", "[3]"]);
  });

  it.each([[undefined], [() => {}], [Number.NaN], [1n]])(
    "W41: a function that returns %s is refused by its name",
    (value) => {
      const merge = (): unknown => mergeEvents([draft(1), draft(2)], { TOKEN: () => value });
      expect(merge).toThrow(TypeError);
      expect(merge).toThrow("merge.TOKEN");
    },
  );
});
