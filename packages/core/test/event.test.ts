import { describe, expect, it } from "vitest";
import { isRunId, MAX_BATCH_EVENTS, MAX_PAYLOAD_BYTES, parseIdempotencyKey } from "../src/event.ts";

describe("isRunId", () => {
  it.each(["a", "0", "-", "_", "AZaz09_-", "x".repeat(128)])("W8: %j names a run", (text) => {
    expect(isRunId(text)).toBe(true);
  });

  it.each(["", "x".repeat(129), "a b", "a/b", "a.b", "a\n", "é", "a%20b", "../a", "a\u0000"])(
    "W8: %j names none",
    (text) => {
      expect(isRunId(text)).toBe(false);
    },
  );
});

describe("parseIdempotencyKey", () => {
  it.each(["a", " ", "~", '"quoted"', "k".repeat(128)])("W10: %j is a key", (text) => {
    expect(parseIdempotencyKey(text)).toBe(text);
  });

  it.each(["", "k".repeat(129), "é", "a\n", "\t", "\u007f"])("W10: %j is none", (text) => {
    expect(() => parseIdempotencyKey(text)).toThrow(
      expect.objectContaining({ code: "invalid_request" }),
    );
  });
});

describe("the default bounds", () => {
  it("W9: are 256 KiB a payload and 1,000 events an append", () => {
    expect([MAX_PAYLOAD_BYTES, MAX_BATCH_EVENTS]).toStrictEqual([256 * 1_024, 1_000]);
  });
});
