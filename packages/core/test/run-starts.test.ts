import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RunEventsError } from "../src/rules/errors.ts";
import { isReserved, isRunId } from "../src/rules/run-id.ts";
import {
  encodeRunStart,
  MAX_RUNS,
  parseRunStarts,
  type RunStart,
} from "../src/rules/run-starts.ts";

const runId = fc.stringMatching(/^[A-Za-z0-9_-]{1,128}$/);
const start: fc.Arbitrary<RunStart> = fc.oneof(
  fc.record({ runId, since: fc.nat({ max: Number.MAX_SAFE_INTEGER - 1 }) }),
  fc.record({
    runId,
    since: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER - 1 }),
    at: fc.nat(4_000_000_000_000).map((ms) => new Date(ms).toISOString()),
  }),
  fc.record({ runId, since: fc.constant(0), tail: fc.integer({ min: 1, max: 1_000 }) }),
);

function messageOf(text: string): string {
  try {
    parseRunStarts(text);
  } catch (error) {
    if (error instanceof RunEventsError && error.code === "invalid_request") return error.message;
    throw error;
  }
  return "taken";
}

describe("parseRunStarts", () => {
  it("W46, W47: reads what encodeRunStart writes, up to 100 runs, each once", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(start, { minLength: 1, maxLength: MAX_RUNS, selector: (one) => one.runId }),
        (starts) => {
          expect(parseRunStarts(starts.map(encodeRunStart).join())).toEqual(starts);
        },
      ),
    );
  });

  it("W47: takes any text, or refuses it; what it takes has the bounds", () => {
    const text = fc.oneof(
      fc.string(),
      fc
        .array(fc.constantFrom("a", "b", ":", ",", "-", "0", "1", "9", "@", " ", "+", "."))
        .map((parts) => parts.join("")),
    );
    fc.assert(
      fc.property(text, (given) => {
        if (messageOf(given) !== "taken") return;
        const starts = parseRunStarts(given);
        expect(new Set(starts.map((one) => one.runId)).size).toBe(starts.length);
        for (const { runId: id, since, tail } of starts) {
          expect([isRunId(id), Number.isSafeInteger(since), since >= 0]).toStrictEqual([
            true,
            true,
            true,
          ]);
          if (tail !== undefined) expect(tail >= 1 && tail <= 1_000).toBe(true);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it("W47: a bad entry is named, with its place", () => {
    for (const bad of [
      "",
      "a",
      "a:",
      ":1",
      "a:x",
      "a:01",
      "a:+1",
      "a:1.5",
      "a:--1",
      "a:-0",
      "a:-01",
      "a:-1001",
      "a b:1",
      "ä:1",
      "a:1:2",
      "a:1@2",
      "a:1@",
      "a:0@2026-01-31T08:00:00.000Z",
      "a:-1@2026-01-31T08:00:00.000Z",
      "a:1@2026-01-31T08:00:00Z",
      "a:1@2026-01-31T08:00:00.000Z@",
      " a:1",
      `${"x".repeat(129)}:1`,
    ]) {
      const message = messageOf(`ok:1,${bad}`);
      expect(message).toMatch(/^Expected each entry of `runs` to be .* as entry 2\.$/);
      expect(message).toContain(JSON.stringify(bad.slice(0, 40)).slice(0, -1));
    }
    expect(messageOf("a:1,b:2,a:3")).toBe(
      'Expected each run once in `runs`, got "a" again as entry 3.',
    );
    expect(messageOf("")).toContain('got "" as entry 1.');
  });

  it("W47: refuses more than 100 runs", () => {
    const entries = Array.from({ length: MAX_RUNS + 1 }, (_, at) => `r${at}:0`);
    expect(messageOf(entries.join())).toContain("100 runs at most");
    expect(messageOf(entries.slice(1).join())).toBe("taken");
  });

  it("W15, W47: a cursor of any length is past the end, not malformed", () => {
    expect(parseRunStarts(`a:${"9".repeat(40)}`)[0]?.since).toBe(Number.MAX_SAFE_INTEGER - 1);
  });
});

it("W8, W47: the path of the stream of many runs is reserved, and nothing else", () => {
  expect(["stream", "Stream", "streams", "a"].map(isReserved)).toStrictEqual([
    true,
    false,
    false,
    false,
  ]);
});
