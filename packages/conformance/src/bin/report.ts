import type { ChosenCases } from "./choose-cases.ts";
import type { CaseReport } from "./run-cases.ts";

/** Everything that a run came to. Plain data: the file that `--json` writes. */
export interface Report {
  readonly store: string;
  readonly profile: string;
  readonly seed: number;
  /** Whether it was ended before the last case. */
  readonly interrupted: boolean;
  readonly passed: number;
  readonly failed: number;
  readonly cases: readonly CaseReport[];
}

/** Counts what came of the cases. */
export function createReport(
  { store, profile, seed }: ChosenCases,
  cases: readonly CaseReport[],
  interrupted: boolean,
): Report {
  const passed = cases.filter((one) => one.passed).length;
  return { store, profile, seed, interrupted, passed, failed: cases.length - passed, cases };
}

/** A line a clause, in the order of their numbers, and a last line with the sums. */
export function printReport({ cases, passed, failed, interrupted }: Report): string {
  const byClause = Map.groupBy(cases, ({ clause }) => clause);
  const clauses = [...byClause].toSorted(([a], [b]) => a.localeCompare(b, "en", { numeric: true }));
  const lines = clauses.map(([clause, ofClause]) => clauseLine(clause, ofClause));
  const sums = `${passed} passed, ${failed} failed`;
  return [...lines, interrupted ? `${sums}, interrupted` : sums].join("\n");
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
