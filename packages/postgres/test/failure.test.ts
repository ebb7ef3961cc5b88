import { RunEventsError } from "@tm/run-events-core";
import { describe, expect, it } from "vitest";
import { isAmbiguous, storeFailure } from "../src/failure.ts";

function failureOf(code: string): Error {
  return Object.assign(new Error("driver"), code === "" ? {} : { code });
}

describe("a driver's failure", () => {
  it.each([
    ["40001", "the server rolled it back"],
    ["57014", "the server cancelled it"],
    ["53100", "the disk was full"],
    ["XX000", "the server was at its wits' end"],
    ["ECONNREFUSED", "nobody was there"],
    ["ENOTFOUND", "the host has no address"],
  ])("S7: %s leaves no doubt: %s", (code) => {
    expect(isAmbiguous(failureOf(code))).toBe(false);
  });

  it.each([
    ["57P01", "the session was ended, maybe behind the commit"],
    ["57P02", "the server crashed, maybe behind the commit"],
    ["08006", "a pooler lost the server"],
    ["ECONNRESET", "the connection broke"],
    ["EPIPE", "the connection broke, under a name that looks like a SQLSTATE"],
    ["ETIMEDOUT", "the network went away"],
    ["", "the driver does not say what it was"],
  ])("S7: %s leaves it open whether the statement landed: %s", (code) => {
    expect(isAmbiguous(failureOf(code))).toBe(true);
  });

  it("S7: an error that ends the session leaves it open, whatever its code", () => {
    for (const severity of ["FATAL", "PANIC"]) {
      expect(isAmbiguous(Object.assign(failureOf("25P04"), { severity }))).toBe(true);
    }
    expect(isAmbiguous(Object.assign(failureOf("25P04"), { severity: "ERROR" }))).toBe(false);
  });

  it("S7: a session that was ended leaves it open, whatever language the server speaks", () => {
    for (const code of ["57P01", "57P02"]) {
      expect(isAmbiguous(Object.assign(failureOf(code), { severity: "ВАЖНО" }))).toBe(true);
    }
  });

  it("S20: what is a RunEventsError stays what it is, but for the doubt", () => {
    const details = { lastSequence: 3 };
    const cause = failureOf("28P01");
    const refused = new RunEventsError("store_unavailable", "no", {
      details,
      cause,
      retryable: false,
    });
    expect(storeFailure(refused)).toBe(refused);
    expect(isAmbiguous(refused)).toBe(false);
    const doubted = storeFailure(refused, true);
    expect(doubted).toMatchObject({
      code: "store_unavailable",
      message: "no",
      details,
      cause,
      retryable: false,
      ambiguous: true,
    });
    expect(storeFailure(doubted)).toBe(doubted);
    expect(isAmbiguous(doubted)).toBe(true);
  });
});
