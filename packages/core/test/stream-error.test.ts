import { describe, expect, it } from "vitest";
import { RunEventsError } from "../src/rules/errors.ts";
import { retryAfter, STREAM_ERRORS, streamErrorCode } from "../src/wire/stream-error.ts";

const RETRYABLE = [
  "store_unavailable",
  "overloaded",
  "slow_consumer",
  "draining",
  "max_age",
] as const;
const FINAL = [
  "cursor_ahead",
  "history_changed",
  "unauthenticated",
  "not_found",
  "internal",
] as const;

describe("STREAM_ERRORS", () => {
  it("W22: STREAM_ERRORS is the wire's list, each code retryable or not", () => {
    const retryable = Object.fromEntries(
      Object.entries(STREAM_ERRORS).map(([code, rule]) => [code, rule.retryable]),
    );
    expect(retryable).toStrictEqual({
      ...Object.fromEntries(RETRYABLE.map((code) => [code, true])),
      ...Object.fromEntries(FINAL.map((code) => [code, false])),
    });
  });
});

describe("retryAfter", () => {
  it("W22: a retry is 500 to 15,000 ms for retryable codes, jittered, and an hour for others", () => {
    for (const code of RETRYABLE) {
      expect(retryAfter(code, () => 0)).toBe(500);
      expect(retryAfter(code, () => 0.5)).toBe(7_750);
      expect(retryAfter(code, () => 1 - Number.EPSILON)).toBe(15_000);
    }
    for (const code of FINAL) expect(retryAfter(code, () => 0)).toBe(3_600_000);
  });
});

describe("streamErrorCode", () => {
  it("W22: streamErrorCode keeps the code of an error that a stream may have", () => {
    for (const code of [
      "store_unavailable",
      "cursor_ahead",
      "unauthenticated",
      "not_found",
    ] as const) {
      expect(streamErrorCode(new RunEventsError(code, "m"))).toBe(code);
    }
  });

  it("W3: streamErrorCode is internal for any other error", () => {
    const unforeseen = [
      new RunEventsError("run_finished", "m"),
      new Error("SELECT 1"),
      "text",
      undefined,
    ];
    for (const error of unforeseen) expect(streamErrorCode(error)).toBe("internal");
  });
});
