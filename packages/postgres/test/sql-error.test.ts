import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isAnswer, isKeyTaken } from "../src/failure.ts";
import { sqlErrorOf } from "../src/sql-error.ts";

const TAKEN = { code: "23505", constraint: "events_by_key", severity: "ERROR" };
/** pg's error as ORMs and other drivers wrap it, in their versions of 2026. */
const WRAPPERS: Readonly<Record<string, (error: typeof TAKEN) => unknown>> = {
  pg: (error) => Object.assign(new Error("duplicate key"), error),
  "postgres.js": ({ code, constraint, severity }) =>
    Object.assign(new Error("duplicate key"), { code, constraint_name: constraint, severity }),
  Drizzle: (error) =>
    new Error("Failed query", { cause: Object.assign(new Error("duplicate key"), error) }),
  Prisma: ({ code, constraint }) =>
    Object.assign(new Error("Raw query failed"), {
      code: "P2010",
      meta: {
        driverAdapterError: new Error("DriverAdapterError", {
          cause: { originalCode: code, constraint: { index: constraint } },
        }),
      },
    }),
};
const NAMES = Object.keys(WRAPPERS);

describe("an error of the server", () => {
  it.each(NAMES)(
    "S5: the error of a key that has landed is recognized in the form of %s",
    (name) => {
      const wrap = WRAPPERS[name] ?? String;
      expect(sqlErrorOf(wrap(TAKEN))).toMatchObject({ code: "23505", constraint: "events_by_key" });
      expect(isKeyTaken(wrap(TAKEN))).toBe(true);
      expect(isKeyTaken(wrap({ ...TAKEN, constraint: "events_by_key_ccold" }))).toBe(true);
      expect(isKeyTaken(wrap({ ...TAKEN, constraint: "events_pkey" }))).toBe(false);
      expect(isKeyTaken(wrap({ ...TAKEN, constraint: "events_pkey_ccold" }))).toBe(false);
      expect(isKeyTaken(wrap({ ...TAKEN, code: "23502" }))).toBe(false);
      expect(isAnswer(wrap(TAKEN))).toBe(true);
    },
  );

  it("S7: the server's error is found inside its wrappers, and other values have none", () => {
    fc.assert(
      fc.property(fc.nat({ max: 6 }), fc.anything(), (wraps, value) => {
        let wrapped: unknown = TAKEN;
        for (let at = 0; at < wraps; at++) wrapped = new Error("wrapped", { cause: wrapped });
        expect(sqlErrorOf(wrapped)).toEqual(TAKEN);
        expect(sqlErrorOf(value)).toEqual({
          code: expect.any(String),
          constraint: expect.any(String),
          severity: expect.any(String),
        });
      }),
    );
  });

  it("S7: an error that is its own cause is searched a few times", () => {
    const error = Object.assign(new Error("round"), { code: "ECONNRESET" });
    error.cause = error;
    expect(sqlErrorOf(error)).toMatchObject({ code: "ECONNRESET" });
  });
});
