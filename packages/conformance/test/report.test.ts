import { describe, expect, it } from "vitest";
import { createFailurePrinter } from "../src/bin/failure-printer.ts";
import { createReport, printReport } from "../src/bin/report.ts";
import type { CaseReport } from "../src/bin/run-cases.ts";
import type { ConformanceCase } from "../src/conformance-case.ts";

const CLAUSES = ["S10", "S2", "S2", "S2", "S2"] as const;
const cases: readonly ConformanceCase[] = CLAUSES.map((clause, index) => ({
  name: `${clause} case ${index}`,
  clause,
  timeoutMs: 1,
  run: async () => {},
}));
const chosen = { store: "any", profile: "quick", seed: 1, cases };
function failed(why: string, clause: string): CaseReport["failure"] {
  return { message: `any: a case\n${why}`, clause, counterexample: null };
}
const reports: readonly CaseReport[] = cases.slice(0, 4).map(({ name, clause }, index) =>
  index === 0
    ? { name, clause, passed: true, hung: false, ms: 5, failure: null }
    : {
        name,
        clause,
        passed: false,
        hung: true,
        ms: 1_000,
        failure: failed(`It hung at ${index}.`, clause),
      },
);

describe("the report", () => {
  it("prints last how many cases were not run after too many that hung", () => {
    const report = createReport(chosen, reports, false);
    expect(report).toMatchObject({ gaveUp: true, passed: 1, failed: 3, notRun: 1 });
    expect(printReport(report).split("\n")).toEqual([
      "S2   broken  3 of 3 cases        3.00 s",
      "S10  kept    1 case              0.01 s",
      "1 passed, 3 failed, 1 not run: 3 cases in a row hung",
    ]);
  });

  it("prints last that it was interrupted, after all else", () => {
    const report = createReport(chosen, reports, true);
    expect(report).toMatchObject({ interrupted: true, gaveUp: false, notRun: 1 });
    expect(printReport(report)).toMatch(/^1 passed, 3 failed, interrupted$/m);
  });

  it("names the clause that was found broken, even if cases of another clause found it", () => {
    const found = [
      { clause: "S1", failure: failed("W2 is broken: Expected more.", "W2") },
      { clause: "S9", failure: failed("Expected less.", "S9") },
      { clause: "S9", failure: null },
      { clause: "W2", failure: null },
    ].map(({ clause, failure }, index) => ({
      name: `${clause} case ${index}`,
      clause,
      passed: failure === null,
      hung: false,
      ms: 10,
      failure,
    }));
    const report = createReport(chosen, found, false);
    expect(printReport(report).split("\n").slice(0, -1)).toEqual([
      "S1   failed  1 of 1 case         0.01 s",
      "S9   broken  1 of 2 cases        0.02 s",
      "W2   broken  1 case              0.01 s",
    ]);
  });

  it("prints a cause in full once, and a drawn input always", () => {
    const print = createFailurePrinter();
    const one = { clause: "S1", passed: false, hung: false, ms: 1 };
    const drawn = { seed: 1, path: "0", input: "[]" };
    const failure = failed("It hung at 1.", "S1");
    const again = failed("It hung at 2.", "S1");
    expect(print({ ...one, name: "S1 a", failure })).toBe("any: a case\nIt hung at 1.");
    expect(print({ ...one, name: "S1 b", failure: again })).toBe(
      "any: a case\nThe same cause as in: S1 a",
    );
    const withInput = again === null ? null : { ...again, counterexample: drawn };
    expect(print({ ...one, name: "S1 c", failure: withInput })).toBe("any: a case\nIt hung at 2.");
    expect(print({ ...one, name: "S1 d", passed: true, failure: null })).toBeNull();
  });
});
