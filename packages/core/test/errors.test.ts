import { describe, expect, it } from "vitest";
import { RunEventsError, runNotFound, storeClosed } from "../src/errors.ts";

describe("RunEventsError", () => {
  it("S20: keeps the driver's error as its cause and out of its message", () => {
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

  it("S20: says that it may be retried by its code, unless it is told", () => {
    expect(new RunEventsError("too_many_requests", "m").retryable).toBe(true);
    expect(new RunEventsError("run_finished", "m").retryable).toBe(false);
    expect(new RunEventsError("internal", "m", { retryable: true }).retryable).toBe(true);
    expect(new RunEventsError("store_unavailable", "m", { retryable: false }).retryable).toBe(
      false,
    );
  });

  it("S7: is ambiguous only if it is told", () => {
    expect(new RunEventsError("store_unavailable", "m", { ambiguous: true }).ambiguous).toBe(true);
  });

  it("has no cause unless it is given one", () => {
    expect("cause" in new RunEventsError("internal", "m")).toBe(false);
  });

  it("W4, S18: the errors of a run that is not there and of a closed store are the same everywhere", () => {
    expect(runNotFound()).toMatchObject({ code: "not_found", details: {}, retryable: false });
    expect(storeClosed()).toMatchObject({ code: "store_unavailable", retryable: false });
  });
});
