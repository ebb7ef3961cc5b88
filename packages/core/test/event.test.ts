import { describe, expect, it } from "vitest";
import { parseExpectedSequence, parseIdempotencyKey } from "../src/rules/append.ts";
import { MAX_BATCH_EVENTS, MAX_PAYLOAD_BYTES } from "../src/rules/event.ts";
import { isRunId } from "../src/rules/run-id.ts";

describe("isRunId", () => {
  it.each(["a", "0", "-", "_", "AZaz09_-", "x".repeat(128)])(
    "W8: the text %j is a run id",
    (text) => {
      expect(isRunId(text)).toBe(true);
    },
  );

  it.each(["", "x".repeat(129), "a b", "a/b", "a.b", "a\n", "é", "a%20b", "../a", "a\u0000"])(
    "W8: the text %j is not a run id",
    (text) => {
      expect(isRunId(text)).toBe(false);
    },
  );
});

describe("parseIdempotencyKey", () => {
  it.each(["a", " ", "~", '"quoted"', "k".repeat(128)])(
    "W10: the text %j is an idempotency key",
    (text) => {
      expect(parseIdempotencyKey(text)).toBe(text);
    },
  );

  it.each(["", "k".repeat(129), "é", "a\n", "\t", "\u007f"])(
    "W10: the text %j is not an idempotency key",
    (text) => {
      expect(() => parseIdempotencyKey(text)).toThrow(
        expect.objectContaining({ code: "invalid_request" }),
      );
    },
  );
});

describe("parseExpectedSequence", () => {
  it.each([0, 1, Number.MAX_SAFE_INTEGER])(
    "W11: the number %j is an expected sequence",
    (expected) => {
      expect(parseExpectedSequence(expected)).toBe(expected);
    },
  );

  it.each([undefined, null])("W11: the value %j expects no sequence", (expected) => {
    expect(parseExpectedSequence(expected)).toBeNull();
  });

  it.each([-1, 0.5, Number.NaN, 2 ** 53, "0" as unknown as number])(
    "W11: the expected sequence %j is refused, with what came",
    (expected) => {
      const shown = typeof expected === "string" ? '"0"' : String(expected);
      expect(() => parseExpectedSequence(expected)).toThrow(
        expect.objectContaining({
          code: "invalid_request",
          message: `Expected \`expectedSequence\` to be an integer, 0 or more, got ${shown}. Pass the last sequence that you have read.`,
        }),
      );
    },
  );
});

describe("the default bounds", () => {
  it("W9: the default bounds are 256 KiB a payload and 1,000 events an append", () => {
    expect([MAX_PAYLOAD_BYTES, MAX_BATCH_EVENTS]).toStrictEqual([256 * 1_024, 1_000]);
  });
});
