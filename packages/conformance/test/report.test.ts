import { describe, expect, it } from "vitest";
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
const failure = { message: "It hung.", counterexample: null };
const reports: readonly CaseReport[] = cases
  .slice(0, 4)
  .map(({ name, clause }, index) =>
    index === 0
      ? { name, clause, passed: true, ms: 5, failure: null }
      : { name, clause, passed: false, ms: 1_000, failure },
  );

describe("the report", () => {
  it("says last how many cases were not run after too many that hung", () => {
    const report = createReport(chosen, { reports, gaveUp: true }, false);
    expect(report).toMatchObject({ gaveUp: true, passed: 1, failed: 3, notRun: 1 });
    expect(printReport(report).split("\n")).toEqual([
      "S2   broken  3 of 3 cases        3.00 s",
      "S10  kept    1 case              0.01 s",
      "1 passed, 3 failed, 1 not run: 3 cases in a row hung",
    ]);
  });

  it("says last that it was interrupted, whatever else there was", () => {
    const report = createReport(chosen, { reports, gaveUp: true }, true);
    expect(report).toMatchObject({ interrupted: true, notRun: 1 });
    expect(printReport(report)).toMatch(/^1 passed, 3 failed, interrupted$/m);
  });
});
