import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { utf8Bytes } from "../src/rules/json-text.ts";
import { checkDepth, type SealedDraft } from "../src/rules/lifecycle.ts";
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
        expect(shown(mergeEvents(drafts, TEXT, 1_000_000))).toStrictEqual(naive(drafts));
      }),
    );
  });

  it("W41: with any bound, all text is there in order, and an event is larger than the bound only if it came so", () => {
    fc.assert(
      fc.property(events, fc.integer({ min: 1, max: 60 }), (given, most) => {
        const drafts = given.map(([eventType, payload]) => draft(payload, eventType));
        const merged = mergeEvents(drafts, TEXT, most);
        const came = new Set(drafts.map(({ payload }) => payload.text));
        for (const { payload } of merged) {
          if (utf8Bytes(payload.text) > most) expect(came).toContain(payload.text);
        }
        expect(naive(merged)).toStrictEqual(naive(drafts));
      }),
    );
  });

  it("W41: events that would be nested too deep together stay apart", () => {
    const drafts = Array.from({ length: 3_000 }, (_, value) => draft(value, "PAIR"));
    const nest = (all: readonly unknown[]): unknown => all.reduce((a, b) => [a, b]);
    const merged = mergeEvents(drafts, { PAIR: nest }, 1_000_000);
    for (const one of merged) expect(() => checkDepth(one)).not.toThrow();
    const numbers = merged.flatMap(({ payload }) => payload.text.match(/\d+/g) ?? []);
    expect(numbers.map(Number)).toStrictEqual(drafts.map((_, value) => value));
  });

  it("W41: a type that is merged nowhere, or is a name of every object, stays as it is", () => {
    const drafts = [draft(1, "A"), draft(2, "A")];
    expect(mergeEvents(drafts, TEXT, 100)).toStrictEqual(drafts);
    expect(mergeEvents(drafts, {}, 100)).toStrictEqual(drafts);
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
    expect(shown(mergeEvents(drafts, merges, 100))).toStrictEqual([["TOKEN", [1, 2, 3]]]);
    expect(seen).toStrictEqual(["[[1],[2],[3]]"]);
    expect(drafts.map(({ payload }) => payload.text)).toStrictEqual(["[1]", "[2]", "[3]"]);
  });

  it("W41: each event is merged a few times at most, however many there are and however small the bound is", () => {
    const bounds = [fc.nat(1_000), fc.nat(20), fc.integer({ min: 150, max: 3_000 })] as const;
    fc.assert(
      fc.property(...bounds, (count, length, most) => {
        const given = Array.from({ length: count }, (_, at) => "x".repeat((at * length) % 21));
        let merged = 0;
        const TOKEN = (all: string[]): string => {
          merged += all.length;
          return all.join("");
        };
        mergeEvents(
          given.map((text) => draft(text)),
          { TOKEN },
          most,
        );
        expect(merged).toBeLessThanOrEqual(4 * given.length);
      }),
    );
  });

  it.each([[undefined], [() => {}], [Number.NaN], [1n]])(
    "W41: a function that returns %s is refused by its name",
    (value) => {
      const merge = (): unknown => mergeEvents([draft(1), draft(2)], { TOKEN: () => value }, 100);
      expect(merge).toThrow(TypeError);
      expect(merge).toThrow("merge.TOKEN");
    },
  );
});
