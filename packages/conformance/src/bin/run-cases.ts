import type { ConformanceCase } from "../conformance-case.ts";
import { Counterexample } from "../counterexample.ts";
import type { SavedExample } from "../replay.ts";

/** What came of a case. Plain data, fit for JSON. */
export interface CaseReport {
  readonly name: string;
  readonly clause: string;
  readonly passed: boolean;
  /** How long it took, in milliseconds. */
  readonly ms: number;
  /** `null` if it passed. */
  readonly failure: CaseFailure | null;
}

/** Why a case failed. */
interface CaseFailure {
  readonly message: string;
  /** The input of a random case, `null` for any other. */
  readonly counterexample: SavedExample | null;
}

/** Runs cases one after the other, until the signal aborts: the case that it ends is not among the reports. */
export async function runCases(
  cases: readonly ConformanceCase[],
  signal: AbortSignal,
  onReport: (report: CaseReport) => void,
): Promise<readonly CaseReport[]> {
  const reports: CaseReport[] = [];
  for (const one of cases) {
    if (signal.aborted) break;
    const begunAt = performance.now();
    const failure = await runWithin(one, signal);
    if (signal.aborted) break;
    const ms = Math.round(performance.now() - begunAt);
    const report = { name: one.name, clause: one.clause, passed: failure === null, ms, failure };
    reports.push(report);
    onReport(report);
  }
  return reports;
}

async function runWithin(
  { run, timeoutMs }: ConformanceCase,
  signal: AbortSignal,
): Promise<CaseFailure | null> {
  const hung = new AbortController();
  const timer = setTimeout(() => {
    hung.abort(new Error(`Expected the case to end within ${timeoutMs} ms.`));
  }, timeoutMs);
  try {
    await run({ signal: AbortSignal.any([signal, hung.signal]) });
    return null;
  } catch (error) {
    const cause = error instanceof Error ? error.cause : undefined;
    return {
      message: error instanceof Error ? error.message : String(error),
      counterexample: cause instanceof Counterexample ? cause.example : null,
    };
  } finally {
    clearTimeout(timer);
  }
}
