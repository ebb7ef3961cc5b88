import type { ChosenCases } from "./choose-cases.ts";
import { type CaseReport, HUNG_IN_A_ROW } from "./run-cases.ts";

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
  /** The number of cases that were chosen, and have come to nothing. */
  readonly notRun: number;
  readonly cases: readonly CaseReport[];
}

/** Counts what came of the cases. */
export function createReport(
  { store, profile, seed, cases: chosen }: Omit<ChosenCases, "leftOut">,
  cases: readonly CaseReport[],
  interrupted: boolean,
): Report {
  const passed = cases.filter((one) => one.passed).length;
  const failed = cases.length - passed;
  const notRun = chosen.length - cases.length;
  const gaveUp = !interrupted && notRun > 0;
  return { store, profile, seed, interrupted, gaveUp, passed, failed, notRun, cases };
}

/**
 * A line for each clause in the order of their numbers, and a last line with the sums. A clause is broken if any case found it broken, its
 * own or another clause's.
 */
export function printReport(report: Report): string {
  const { cases } = report;
  const broken = new Set(cases.flatMap(({ failure }) => failure?.clause ?? []));
  const clauses = [...new Set([...cases.map(({ clause }) => clause), ...broken])];
  clauses.sort((one, other) => one.localeCompare(other, "en", { numeric: true }));
  const lines = clauses.map((clause) => {
    const own = cases.filter((one) => one.clause === clause);
    return clauseLine(clause, own, broken.has(clause));
  });
  return [...lines, lastLine(report)].join("\n");
}

function lastLine({ passed, failed, interrupted, gaveUp, notRun }: Report): string {
  const sums = `${passed} passed, ${failed} failed`;
  if (interrupted) return `${sums}, interrupted`;
  if (gaveUp) return `${sums}, ${notRun} not run: ${HUNG_IN_A_ROW} cases in a row hung`;
  return sums;
}

function clauseLine(clause: string, cases: readonly CaseReport[], isBroken: boolean): string {
  const failed = cases.filter((one) => !one.passed).length;
  // Cases that failed because another clause is broken neither prove nor disprove this one.
  const word = isBroken ? "broken" : failed > 0 ? "failed" : "kept";
  const count = failed === 0 ? `${cases.length}` : `${failed} of ${cases.length}`;
  const unit = cases.length === 1 ? "case" : "cases";
  const columns = [clause.padEnd(3), word.padEnd(6), `${count} ${unit}`.padEnd(14)];
  const ms = cases.reduce((sum, one) => sum + one.ms, 0);
  return `${columns.join("  ")}  ${(ms / 1_000).toFixed(2).padStart(8)} s`;
}
