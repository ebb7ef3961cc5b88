import { assertEqual } from "../assert.ts";
import { checkHistory } from "../history/check-history.ts";
import type { AppendOperation, History, Operation, Violation } from "../history/operation.ts";
import { violation } from "../history/placed-batches.ts";
import { isAcknowledged } from "./ledger.ts";
import { type LoadOfWorker, type Manner, progressOf, startLoads, stopLoads } from "./loads.ts";
import type { ProcessTrial } from "./process-case.ts";
import { failOn, readHistory } from "./process-cases.ts";
import { asSentOnce } from "./sent-once.ts";
import type { Worker } from "./start-worker.ts";
import type { Sent } from "./worker-commands.ts";

/** A way to crash. */
export interface Crash {
  /** Crashes amid calls. @returns those that have lived on */
  readonly strike: (
    loads: readonly LoadOfWorker[],
    trial: ProcessTrial,
  ) => Promise<readonly LoadOfWorker[]>;
  /** Whether calls of those that live on may fail. */
  readonly mayFail: boolean;
}

export const RUN_IDS: readonly string[] = ["a", "b"];
/** How many acknowledged calls are sent again, the youngest. */
export const RECEIPTS = 10;

const PLAIN: Manner = { manner: "plain", runIds: RUN_IDS };
const LEASED: Manner = { manner: "leased", runIds: RUN_IDS };

/**
 * Lets processes append, crashes, looks at what is left, and goes on. A store that declares less than
 * `process` has to keep only logs from 1 to their heads.
 * @throws Error with the clause and a timeline
 */
export async function playCrash(
  trial: ProcessTrial,
  crash: Crash,
  { sendsAgain }: { readonly sendsAgain: boolean },
): Promise<void> {
  const { crew, ledger } = trial;
  const workers = await crew.startAll();
  await workers[0].call("create", { runIds: RUN_IDS });
  const left = await crashOnce(trial, crash, workers, PLAIN);
  // It was not there before the crash, so that it knows nothing but what is left.
  const reader = await crew.start();
  if (!outlivesCrash(trial)) {
    await reader.call("readLogs", { runIds: RUN_IDS });
    return;
  }
  const [first = reader] = left;
  const later: Operation[] = [];
  if (sendsAgain) {
    const appends = chooseDoubtful(ledger.operations());
    const operations = await first.call("send", { name: `${first.name}-again`, appends });
    later.push(...operations);
    failOn(wrongAgain(appends, operations), { operations: [...ledger.operations(), ...later] });
  }
  for (const worker of [...left, reader]) later.push(...(await appendMore(worker)));
  await checkCrash(trial, crash, reader, [...ledger.operations(), ...later]);
}

/**
 * Lets processes claim runs and append under their fences, crashes, and lets what is left and a new process do the same. It demands
 * nothing of a store that declares less than `process`.
 * @throws Error with the clause and a timeline
 */
export async function playLeasedCrash(trial: ProcessTrial, crash: Crash): Promise<void> {
  const { crew, ledger } = trial;
  const workers = await crew.startAll();
  await workers[0].call("create", { runIds: RUN_IDS });
  const left = await crashOnce(trial, crash, workers, LEASED);
  const reader = await crew.start();
  if (!outlivesCrash(trial)) return;
  await goOn(trial, [...left, reader], LEASED);
  await checkCrash(trial, crash, reader, ledger.operations());
}

/** Whether the store declares that what it has acknowledged outlives a crash. */
export function outlivesCrash({ crew }: ProcessTrial): boolean {
  const { durability } = crew.capabilities();
  return durability === "process" || durability === "power";
}

/** @returns the processes that have lived on */
export async function crashOnce(
  trial: ProcessTrial,
  crash: Crash,
  workers: readonly Worker[],
  manner: Manner,
): Promise<readonly Worker[]> {
  const loads = startLoads(workers, manner);
  await progressOf(loads, trial.ledger);
  const alive = await crash.strike(loads, trial);
  const failures = await stopLoads(alive);
  if (!crash.mayFail) assertEqual(failures, [], "the failures of those that have lived on");
  return alive.map(({ worker }) => worker);
}

/** Lets processes do for a while what they did before the crash. */
export async function goOn(
  { ledger }: ProcessTrial,
  workers: readonly Worker[],
  manner: Manner,
): Promise<void> {
  const loads = startLoads(workers, manner);
  await progressOf(loads, ledger);
  assertEqual(await stopLoads(loads), [], "the failures after the crash");
}

/**
 * Holds all calls, those before the crash and those after it, against the logs.
 * @throws Error with the clause and a timeline
 */
export async function checkCrash(
  { crew }: ProcessTrial,
  { mayFail }: Crash,
  reader: Worker,
  called: readonly Operation[],
): Promise<void> {
  const operations = mayFail ? asSentOnce(called) : called;
  // A run that is in doubt may not be there: then its log is empty.
  const named = operations.filter(({ kind }) => kind !== "create").map(({ runId }) => runId);
  const history = await readHistory(reader, [...new Set(named)], operations);
  const { durability } = crew.capabilities();
  failOn(lostAppend(history, durability) ?? checkHistory(history), history);
}

/** Appends with a key: those without an answer, and the youngest that have one. */
function chooseDoubtful(operations: readonly Operation[]): readonly AppendOperation[] {
  const keyed = operations.filter(
    (one): one is AppendOperation => one.kind === "append" && one.idempotencyKey !== null,
  );
  return [
    ...keyed.filter(({ result }) => result.outcome === "unknown" || result.outcome === "failed"),
    ...keyed.filter(isAcknowledged).slice(-RECEIPTS),
  ];
}

/** What was sent again has to have landed, and what had a receipt to have it still. */
function wrongAgain(
  before: readonly AppendOperation[],
  again: readonly Operation[],
): Violation | null {
  for (const first of before) {
    const last = again.findLast(
      (one): one is AppendOperation => one.kind === "append" && one.ids[0] === first.ids[0],
    );
    const outcome = last?.result.outcome ?? "unknown";
    const calls = last === undefined ? [first] : [first, last];
    if (isAcknowledged(first) && outcome !== "replayed") {
      return violation(
        "S7",
        `an acknowledged append was sent again and answered ${outcome}`,
        calls,
      );
    }
    if (outcome !== "appended" && outcome !== "replayed") {
      return violation("S7", `an append in doubt was sent again and answered ${outcome}`, calls);
    }
  }
  return null;
}

function lostAppend({ operations, logs }: History, durability: string): Violation | null {
  const left = new Set([...logs.values()].flatMap((log) => log.map(({ id }) => id)));
  const lost = operations.find((one) => isAcknowledged(one) && !left.has(one.ids[0]));
  return lost === undefined
    ? null
    : violation(
        "S6",
        `an acknowledged append is lost after the crash, and the store declares the durability ${durability}`,
        [lost],
      );
}

/** One append more to each run, which the store has to find its way for. */
function appendMore(worker: Worker): Promise<readonly Operation[]> {
  const name = `${worker.name}-on`;
  const appends: readonly Sent[] = RUN_IDS.map((runId) => ({
    runId,
    ids: [`${name}.${runId}`],
    idempotencyKey: `${name}.${runId}`,
  }));
  return worker.call("send", { name, appends });
}
