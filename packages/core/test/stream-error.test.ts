import { expect, it } from "vitest";
import { RunEventsError, type RunEventsErrorCode } from "../src/rules/errors.ts";
import { retryAfter, STREAM_ERRORS, streamErrorCode } from "../src/wire/stream-error.ts";

const FINAL = ["cursor_ahead", "history_changed", "unauthenticated", "not_found", "internal"];

it("W22: each code is retryable or not, and a reader waits 500 to 15,000 ms, or an hour", () => {
  expect(Object.keys(STREAM_ERRORS)).toHaveLength(10);
  for (const [code, { retryable }] of Object.entries(STREAM_ERRORS)) {
    expect(retryable).toBe(!FINAL.includes(code));
    const waits = [0, 0.5, 1 - Number.EPSILON].map((random) =>
      retryAfter(code as keyof typeof STREAM_ERRORS, () => random),
    );
    expect(waits).toStrictEqual(
      retryable ? [500, 7_750, 15_000] : [3_600_000, 3_600_000, 3_600_000],
    );
  }
});

it("W3, W22: an error keeps its code if a stream may have it, and is internal otherwise", () => {
  const kept = [
    "store_unavailable",
    "cursor_ahead",
    "history_changed",
    "unauthenticated",
    "not_found",
  ];
  for (const code of [...kept, "run_finished"])
    expect(streamErrorCode(new RunEventsError(code as RunEventsErrorCode, "m"))).toBe(
      kept.includes(code) ? code : "internal",
    );
  for (const error of [new Error("SELECT 1"), "text", undefined])
    expect(streamErrorCode(error)).toBe("internal");
});
