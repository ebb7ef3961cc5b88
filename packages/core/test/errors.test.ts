import { describe, expect, it } from "vitest";
import {
  isRefusal,
  isStoreClosed,
  processClosing,
  RunEventsError,
  type RunEventsErrorCode,
  storeClosed,
} from "../src/rules/errors.ts";

describe("RunEventsError", () => {
  it("S20: an error is retryable by its code, unless it is created otherwise", () => {
    expect(new RunEventsError("too_many_requests", "m").retryable).toBe(true);
    expect(new RunEventsError("run_finished", "m").retryable).toBe(false);
    expect(new RunEventsError("internal", "m", { retryable: true }).retryable).toBe(true);
    expect(new RunEventsError("store_unavailable", "m", { retryable: false }).retryable).toBe(
      false,
    );
  });

  it("W32: isRefusal accepts errors of a run that a worker may not write to, and no others", () => {
    const codes: readonly RunEventsErrorCode[] = [
      "fenced",
      "run_finished",
      "not_found",
      "history_changed",
      "claimed",
      "cursor_ahead",
      "internal",
      "invalid_event",
      "store_unavailable",
    ];
    const refusals = codes.filter((code) => isRefusal(new RunEventsError(code, "m")));
    expect(refusals).toStrictEqual(["fenced", "run_finished", "not_found", "history_changed"]);
    expect(isRefusal(Object.assign(new Error("m"), { code: "fenced" }))).toBe(false);
    expect(isRefusal(null)).toBe(false);
  });

  it("S18: isStoreClosed distinguishes a closed store from one that is away, even of another copy of this package", () => {
    const mark = Symbol.for("@tm/run-events-core/closed");
    for (const error of [storeClosed(), processClosing()]) {
      expect(isStoreClosed(error)).toBe(true);
      expect(mark in error).toBe(true);
      expect(Object.keys(error)).toStrictEqual(
        Object.keys(new RunEventsError("store_unavailable", "m")),
      );
    }
    expect(processClosing().message).toMatch(
      /^This process is shutting down: `close` was called\./,
    );
    expect(isStoreClosed(new RunEventsError("store_unavailable", "The store is closed."))).toBe(
      false,
    );
    expect(isStoreClosed(undefined)).toBe(false);
  });
});
