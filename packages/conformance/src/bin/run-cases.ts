import { CaseFailure, type ConformanceCase, sayFailure } from "../conformance-case.ts";
import { Counterexample } from "../counterexample.ts";
import { nextTurn } from "../next-turn.ts";
import type { SavedExample } from "../replay.ts";
import { untilAborted } from "../until-aborted.ts";
import { catchStrays } from "./process-watch.ts";
import type { ChosenCases } from "./choose-cases.ts";

/** A store that does not answer is given up after this many cases in a row that hung: each costs the whole time of a case. */
export const HUNG_IN_A_ROW = 3;

/** The time that a case that was ended may take to close and destroy what is open, in milliseconds, before the command goes on without it. */
const GRACE_MS = 30_000;

/** The time that a case may go on after an uncaught error, in milliseconds: it may wait for the code that threw. */
const AFTER_STRAY_MS = 10_000;

/** The result of a case. Plain data, fit for JSON. */
export interface CaseReport {
  readonly name: string;
  readonly clause: string;
  readonly passed: boolean;
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
  readonly counterexample: SavedExample | null;
}

/** Called with what happens, as it happens. */
export interface CaseObserver {
  readonly onBegin: (name: string) => void;
  readonly onReport: (report: CaseReport) => void;
}

/** The result of a run. */
export interface CasesRun {
  readonly reports: readonly CaseReport[];
  /** Whether cases were left out because the ones before them hung. */
  readonly gaveUp: boolean;
}

/**
 * Runs cases one after the other, until the signal aborts: the case that it ends is not among the reports. What a store throws
 * uncaught fails the case under way.
 */
export async function runCases(
  { store, cases }: Pick<ChosenCases, "store" | "cases">,
  signal: AbortSignal,
  { onBegin, onReport }: CaseObserver,
): Promise<CasesRun> {
  const reports: CaseReport[] = [];
  let hungInARow = 0;
  for (const one of cases) {
    if (hungInARow === HUNG_IN_A_ROW) return { reports, gaveUp: true };
    if (signal.aborted) break;
    onBegin(one.name);
    const begunAt = performance.now();
    const { failure, hung } = await runCase(store, one, signal);
    if (signal.aborted) break;
    const ms = Math.round(performance.now() - begunAt);
    const report = { name: one.name, clause: one.clause, passed: failure === null, ms, failure };
    reports.push(report);
    onReport(report);
    hungInARow = hung ? hungInARow + 1 : 0;
  }
  return { reports, gaveUp: false };
}

interface CaseOutcome {
  readonly failure: ReportedFailure | null;
  /** Whether its time was up. */
  readonly hung: boolean;
}

async function runCase(
  store: string,
  { name, clause, run, timeoutMs }: ConformanceCase,
  signal: AbortSignal,
): Promise<CaseOutcome> {
  const own = new AbortController();
  const ended = AbortSignal.any([signal, own.signal]);
  const left = new AbortController();
  let graceTimer: ReturnType<typeof setTimeout> | undefined;
  ended.addEventListener("abort", () => {
    const why = sayFailure(store, name, ended.reason);
    const leave = (): void => left.abort(new Error(`${why}\nIt did not come to an end then.`));
    graceTimer = setTimeout(leave, GRACE_MS);
  });

  let hung = false;
  function endIn(ms: number, since: string): ReturnType<typeof setTimeout> {
    return setTimeout(() => {
      hung = true;
      own.abort(new Error(`Expected the case to end within ${ms} ms${since}.`));
    }, ms);
  }
  let timer = endIn(timeoutMs, "");
  const strays = catchStrays(() => {
    clearTimeout(timer);
    // Not at once: an error that a case throws after its end would be laid to the next one.
    timer = endIn(Math.min(timeoutMs, AFTER_STRAY_MS), " after an uncaught error");
  });

  const failure = await failureOf(clause, untilAborted(run({ signal: ended }), left.signal));
  clearTimeout(timer);
  clearTimeout(graceTimer);
  // An unhandled rejection is known only when the turn ends.
  await nextTurn();
  clearTimeout(timer);
  strays.stop();
  const stray = strays.first();
  if (stray === null) return { failure, hung };
  const whole = failure ?? { message: `${store}: ${name}`, clause, counterexample: null };
  const more = `Expected no uncaught error, got ${stray}`;
  return { failure: { ...whole, message: `${whole.message}\n${more}` }, hung };
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
      counterexample: cause instanceof Counterexample ? cause.example : null,
    };
  }
}
