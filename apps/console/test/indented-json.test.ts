import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeIndented } from "../src/encode-indented.ts";
import { encodeSummary } from "../src/encode-summary.ts";
import { runTitle } from "../src/run-title.ts";

/** Lists in lists, `depth` of them. */
function nest(depth: number): unknown {
  return JSON.parse("[".repeat(depth) + "]".repeat(depth));
}

describe("a payload's indented text", () => {
  it("indented JSON is what JSON.stringify writes with two spaces", () => {
    fc.assert(
      fc.property(fc.jsonValue({ depthSize: "large", maxDepth: 12 }), (payload) => {
        const json = JSON.stringify(payload, null, 2);
        expect(encodeIndented(payload)).toEqual({ json, isCut: false });
      }),
    );
  });

  it("indented JSON keeps any value that a server accepts, and grows with its depth, not with the square", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000 }), (depth) => {
        const { json, isCut } = encodeIndented(nest(depth));
        expect(isCut).toBe(false);
        expect(json.replaceAll(/\s/g, "")).toBe("[".repeat(depth) + "]".repeat(depth));
        expect(json.length).toBeLessThanOrEqual(depth * 2 * 82);
      }),
      { examples: [[1_000]] },
    );
  });

  it.each([6_000, 130_000])(
    "indented JSON omits deeper levels, even of %i levels, and reports it",
    (depth) => {
      const payload = { a: nest(depth), b: 1 };
      const { json, isCut } = encodeIndented(payload);
      expect(isCut).toBe(true);
      expect(json).toContain("…");
      expect(json).toMatch(/"b": 1\n\}$/);
      expect(encodeSummary(payload)).toHaveLength(400);
    },
  );

  it("indented JSON omits the rest of a text that is too long, and reports it", () => {
    const row = ["x".repeat(100_000)];
    const { json, isCut } = encodeIndented(Array.from({ length: 50 }, () => row));
    expect(isCut).toBe(true);
    expect(json).toHaveLength(4_000_000);
  });
});

describe("a run's title", () => {
  it("a title escapes characters that reverse text", () => {
    for (const name of ["title", "name", "command"]) {
      const title = runTitle({
        runId: "r",
        topic: null,
        metadata: { [name]: "a \u202Edesrever\u2066 b\u2028c" },
      });
      expect(title).toBe("a \\u202edesrever\\u2066 b\\u2028c");
    }
  });

  it("a title is the words of a command, and not of other lists, of any depth", () => {
    const title = (command: unknown): string =>
      runTitle({ topic: null, runId: "r", metadata: { command } });
    expect(title(["seq", 1, "10"])).toBe("seq 1 10");
    expect(title([["seq"]])).toBe("r");
    expect(title(nest(100_000))).toBe("r");
    expect(title(["x".repeat(1_000)])).toHaveLength(300);
    expect(title("  ")).toBe("r");
  });
});
