import { describe, expect, it } from "vitest";
import {
  isRefusal,
  isStoreClosed,
  processClosing,
  RunEventsError,
  type RunEventsErrorCode,
  runFenced,
  runFinished,
  runNotFound,
  storeClosed,
} from "../src/rules/errors.ts";

describe("RunEventsError", () => {
  it("S20: an error keeps the driver's error as its cause and out of its message", () => {
    const cause = new Error("SQLITE_BUSY: SELECT 1");
    const error = new RunEventsError("store_unavailable", "The store did not answer.", { cause });
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({
      name: "RunEventsError",
      code: "store_unavailable",
      message: "The store did not answer.",
      cause,
      details: {},
      retryable: true,
      ambiguous: false,
    });
    expect(`${error.message}${JSON.stringify(error.details)}`).not.toContain("SQLITE");
  });

  it("S20: an error is retryable by its code, unless it is created otherwise", () => {
    expect(new RunEventsError("too_many_requests", "m").retryable).toBe(true);
    expect(new RunEventsError("run_finished", "m").retryable).toBe(false);
    expect(new RunEventsError("internal", "m", { retryable: true }).retryable).toBe(true);
    expect(new RunEventsError("store_unavailable", "m", { retryable: false }).retryable).toBe(
      false,
    );
  });

  it("S7: an error is ambiguous only if it is created so", () => {
    expect(new RunEventsError("store_unavailable", "m", { ambiguous: true }).ambiguous).toBe(true);
  });

  it("an error has no cause unless it is given one", () => {
    expect("cause" in new RunEventsError("internal", "m")).toBe(false);
  });

  it("W4, S18: the errors of a run that does not exist and of a closed store are the same everywhere", () => {
    expect(runNotFound()).toMatchObject({ code: "not_found", details: {}, retryable: false });
    expect(storeClosed()).toMatchObject({ code: "store_unavailable", retryable: false });
  });

  it("W7, W32: the errors of a finished run and of a fenced one have the known details", () => {
    expect(runFinished("cancelled", 7)).toMatchObject({
      code: "run_finished",
      details: { runStatus: "cancelled", lastSequence: 7 },
      retryable: false,
    });
    expect(runFenced()).toMatchObject({ code: "fenced", details: {}, retryable: false });
  });

  it("W32: isRefusal accepts errors of a run that a worker may not write to, and no others", () => {
    const codes: readonly RunEventsErrorCode[] = [
      "fenced",
      "run_finished",
      "not_found",
      "claimed",
      "cursor_ahead",
      "internal",
      "invalid_event",
      "store_unavailable",
    ];
    const refusals = codes.filter((code) => isRefusal(new RunEventsError(code, "m")));
    expect(refusals).toStrictEqual(["fenced", "run_finished", "not_found"]);
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
