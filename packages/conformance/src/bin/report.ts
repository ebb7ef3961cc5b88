import type { ChosenCases } from "./choose-cases.ts";
import { type CaseReport, type CasesRun, HUNG_IN_A_ROW } from "./run-cases.ts";

/** Everything that a run came to. Plain data: the file that `--json` writes. */
export interface Report {
  readonly store: string;
  readonly profile: string;
  readonly seed: number;
  /** Whether it was ended from outside before the last case. */
  readonly interrupted: boolean;
  /** Whether it ended by itself before the last case, because the store did not answer. */
  readonly gaveUp: boolean;
  readonly passed: number;
  readonly failed: number;
  /** How many cases were chosen, and have come to nothing. */
  readonly notRun: number;
  readonly cases: readonly CaseReport[];
}

/** Counts what came of the cases. */
export function createReport(
  { store, profile, seed, cases: chosen }: ChosenCases,
  { reports: cases, gaveUp }: CasesRun,
  interrupted: boolean,
): Report {
  const passed = cases.filter((one) => one.passed).length;
  const failed = cases.length - passed;
  const notRun = chosen.length - cases.length;
  return { store, profile, seed, interrupted, gaveUp, passed, failed, notRun, cases };
}

/** A line a clause, in the order of their numbers, and a last line with the sums. */
export function printReport(report: Report): string {
  const byClause = Map.groupBy(report.cases, ({ clause }) => clause);
  const clauses = [...byClause].toSorted(([a], [b]) => a.localeCompare(b, "en", { numeric: true }));
  const lines = clauses.map(([clause, ofClause]) => clauseLine(clause, ofClause));
  return [...lines, lastLine(report)].join("\n");
}

function lastLine({ passed, failed, interrupted, gaveUp, notRun }: Report): string {
  const sums = `${passed} passed, ${failed} failed`;
  if (interrupted) return `${sums}, interrupted`;
  if (gaveUp) return `${sums}, ${notRun} not run: ${HUNG_IN_A_ROW} cases in a row hung`;
  return sums;
}

function clauseLine(clause: string, cases: readonly CaseReport[]): string {
  const broken = cases.filter((one) => !one.passed).length;
  const word = broken === 0 ? "kept" : "broken";
  const count = broken === 0 ? `${cases.length}` : `${broken} of ${cases.length}`;
  const ms = cases.reduce((sum, one) => sum + one.ms, 0);
  const unit = cases.length === 1 ? "case" : "cases";
  const columns = [clause.padEnd(3), word.padEnd(6), `${count} ${unit}`.padEnd(14)];
  return `${columns.join("  ")}  ${(ms / 1_000).toFixed(2).padStart(8)} s`;
}
