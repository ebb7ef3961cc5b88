import { CaseFailure, type ConformanceCase } from "../conformance-case.ts";
import { Counterexample, type FoundInput } from "../counterexample.ts";
import { nextTurn } from "../next-turn.ts";
import { catchStrays } from "./strays.ts";
import type { ChosenCases } from "./choose-cases.ts";

/** A store that does not answer is given up after this many cases in a row that hung: each costs the whole time of a case. */
export const HUNG_IN_A_ROW = 3;

/** The time that a case may go on after an uncaught error, in milliseconds: it may wait for the code that threw. */
const AFTER_STRAY_MS = 10_000;

/** The result of a case. Plain data, fit for JSON. */
export interface CaseReport {
  readonly name: string;
  readonly clause: string;
  readonly passed: boolean;
  /** Whether it was given up, because its time was over. */
  readonly hung: boolean;
  /** The time that it took, in milliseconds. */
  readonly ms: number;
  /** `null` if it passed. */
  readonly failure: ReportedFailure | null;
}

/** Why a case failed. */
interface ReportedFailure {
  readonly message: string;
  /** The clause that was found broken: the case's, or another one that it met. */
  readonly clause: string;
  /** The input of a random case, `null` for any other. */
  readonly counterexample: FoundInput | null;
}

/**
 * Runs cases one after the other, until the signal aborts, or too many in a row have hung. The case that the signal ends is not among
 * the reports. What a store throws uncaught fails the case under way.
 * @param onBegin called with the name of each case
 */
export async function* runCases(
  { store, cases }: Pick<ChosenCases, "store" | "cases">,
  signal: AbortSignal,
  onBegin: (name: string) => void = () => {},
): AsyncGenerator<CaseReport> {
  let hungInARow = 0;
  for (const one of cases) {
    if (signal.aborted || hungInARow === HUNG_IN_A_ROW) return;
    onBegin(one.name);
    const report = await runCase(store, one, signal);
    if (signal.aborted) return;
    hungInARow = report.hung ? hungInARow + 1 : 0;
    yield report;
  }
}

async function runCase(
  store: string,
  { name, clause, run, timeoutMs }: ConformanceCase,
  signal: AbortSignal,
): Promise<CaseReport> {
  const begunAt = performance.now();
  const own = new AbortController();
  const ended = AbortSignal.any([signal, own.signal]);
  const timers: NodeJS.Timeout[] = [];
  function endIn(ms: number, since = ""): void {
    const why = new Error(`Expected the case to end within ${ms} ms${since}.`);
    timers.push(setTimeout(() => own.abort(why), ms));
  }
  endIn(timeoutMs);
  // Not at once: a second error of the case would then come during the next one, and be blamed on it.
  const strays = catchStrays(() => endIn(AFTER_STRAY_MS, " after an uncaught error"));

  const failure = await failureOf(clause, run({ signal: ended }));
  for (const timer of timers) clearTimeout(timer);
  // An unhandled rejection is known only when the turn ends.
  await nextTurn();
  for (const timer of timers) clearTimeout(timer);
  strays.stop();
  const stray = strays.first();
  const whole = failure ?? { message: `${store}: ${name}`, clause, counterexample: null };
  const reported =
    stray === null
      ? failure
      : { ...whole, message: `${whole.message}\nExpected no uncaught error, got ${stray}` };
  const ms = Math.round(performance.now() - begunAt);
  return {
    name,
    clause,
    passed: reported === null,
    hung: own.signal.aborted,
    ms,
    failure: reported,
  };
}

async function failureOf(named: string, running: Promise<void>): Promise<ReportedFailure | null> {
  try {
    await running;
    return null;
  } catch (error) {
    const cause = error instanceof Error ? error.cause : undefined;
    return {
      message: error instanceof Error ? error.message : String(error),
      clause: error instanceof CaseFailure ? error.clause : named,
      counterexample: cause instanceof Counterexample ? cause.found : null,
    };
  }
}
