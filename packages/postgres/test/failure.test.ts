import { inspect } from "node:util";
import { RunEventsError } from "@tm/run-events-core";
import { describe, expect, it } from "vitest";
import { isAmbiguous, keepsConnection, storeFailure } from "../src/failure.ts";

function failureOf(code: string): Error {
  return Object.assign(new Error("driver"), code === "" ? {} : { code });
}

describe("a driver's failure", () => {
  it.each([
    ["40001", "the server rolled it back"],
    ["57014", "the server cancelled it"],
    ["53100", "the disk was full"],
    ["XX000", "the server was at its wits' end"],
    ["ECONNREFUSED", "no server answered"],
    ["ENOTFOUND", "the host has no address"],
  ])("S7: %s does not leave the statement in doubt: %s", (code) => {
    expect(isAmbiguous(failureOf(code))).toBe(false);
  });

  it.each([
    ["57P01", "the session was ended, maybe after the commit"],
    ["57P02", "the server crashed, maybe after the commit"],
    ["08006", "a pooler lost the server"],
    ["ECONNRESET", "the connection broke"],
    ["EPIPE", "the connection broke, under a code like a SQLSTATE"],
    ["ETIMEDOUT", "the network went away"],
    ["CONNECTION_CLOSED", "postgres.js lost the connection"],
    ["", "the driver does not say what it was"],
  ])("S7: %s leaves the statement in doubt: %s", (code) => {
    expect(isAmbiguous(failureOf(code))).toBe(true);
  });

  it("S7: an error that ends the session leaves the statement in doubt, with any code", () => {
    for (const severity of ["FATAL", "PANIC"]) {
      expect(isAmbiguous(Object.assign(failureOf("25P04"), { severity }))).toBe(true);
    }
    expect(isAmbiguous(Object.assign(failureOf("25P04"), { severity: "ERROR" }))).toBe(false);
  });

  it("S7: a session that was ended leaves the statement in doubt, in any language of the server", () => {
    for (const code of ["57P01", "57P02"]) {
      expect(isAmbiguous(Object.assign(failureOf(code), { severity: "ВАЖНО" }))).toBe(true);
    }
  });

  it("S20: 55000, which a primary may answer too, is not taken for a sign of a standby", () => {
    const failure = failureOf("55000");
    expect(storeFailure(failure).message).not.toContain("standby");
    expect(keepsConnection(failure)).toBe(true);
  });

  it("S20: a RunEventsError stays as it is, except for `ambiguous`", () => {
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

/** The server's error as pg has it. */
function serverError(members: object = {}): Error {
  return Object.assign(new Error("violates a check"), { code: "23514", ...members });
}

/** Errors of drivers and ORMs after a statement with the value `hunter2`. */
const QUOTING: Readonly<Record<string, () => Error>> = {
  pg: () => serverError({ detail: "Failing row contains (hunter2).", where: "$1 = 'hunter2'" }),
  PGlite: () => serverError({ query: "INSERT", params: ["hunter2"], queryOptions: {} }),
  "postgres.js": () =>
    Object.defineProperties(serverError({ detail: "hunter2" }), {
      query: { value: "INSERT" },
      parameters: { value: ["hunter2"] },
      args: { value: ["hunter2"] },
    }) as Error,
  Drizzle: () =>
    Object.assign(new Error("Failed query: INSERT\nparams: hunter2"), {
      query: "INSERT",
      params: ["hunter2"],
      cause: serverError({ detail: "hunter2" }),
    }),
  "Drizzle over a connection that broke": () =>
    new Error("Failed query: INSERT\nparams: hunter2", {
      cause: new Error("Connection terminated unexpectedly"),
    }),
  Prisma: () =>
    Object.assign(new Error("Invalid `prisma.$queryRaw()` invocation: hunter2"), {
      code: "P2010",
      meta: { driverAdapterError: new Error("x", { cause: serverError({ detail: "hunter2" }) }) },
    }),
};

it.each(Object.keys(QUOTING))(
  "S20: the cause of a failure has no value of the statement: %s",
  (driver) => {
    const thrown = QUOTING[driver]?.();
    const { cause, message } = storeFailure(thrown);
    expect(inspect(cause, { depth: null, showHidden: true })).not.toContain("hunter2");
    expect(cause).toBeInstanceOf(Error);
    if (driver.includes("broke")) expect(message).toContain("The connection to the database broke");
    else expect(cause).toMatchObject({ message: "violates a check", code: "23514" });
  },
);
