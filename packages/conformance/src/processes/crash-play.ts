import { assertEqual } from "../assert.ts";
import { checkHistory } from "../history/check-history.ts";
import type { AppendOperation, History, Operation, Violation } from "../history/operation.ts";
import { violation } from "../history/placed-batches.ts";
import { isAcknowledged } from "./ledger.ts";
import { type LoadOfWorker, progressOf, startLoads, stopLoads } from "./loads.ts";
import type { ProcessTrial } from "./process-case.ts";
import { failOn } from "./process-cases.ts";
import type { Worker } from "./start-worker.ts";
import type { LoadManner, Sent } from "./worker-commands.ts";

/** A way to crash. */
export interface Crash {
  /** Crashes amid appends. @returns those that have lived on */
  readonly strike: (
    loads: readonly LoadOfWorker[],
    trial: ProcessTrial,
  ) => Promise<readonly LoadOfWorker[]>;
  /** Whether calls of those that live on may fail. */
  readonly mayFail: boolean;
}

export const RUN_IDS: readonly string[] = ["a", "b"];
/** How many acknowledged appends are sent again, the youngest. */
export const RECEIPTS = 10;

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
  const left = await crashOnce(trial, crash, workers, "plain");
  // It was not there before the crash, so that it knows nothing but what is left.
  const reader = await crew.start();
  const { durability } = crew.capabilities();
  if (durability !== "process" && durability !== "power") {
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
  for (const worker of [...left, reader]) later.push(...(await goOn(worker)));
  const logs = await reader.call("readLogs", { runIds: RUN_IDS });
  const operations = [...ledger.operations(), ...later];
  const history = {
    operations: crash.mayFail ? landAgain(operations) : operations,
    logs: new Map(RUN_IDS.map((runId, index) => [runId, logs[index] ?? []])),
  };
  failOn(lostAppend(history, durability) ?? checkHistory(history), history);
}

/**
 * Lets processes claim runs and append under their fences, crashes, and lets what is left and a new process do the same. Of a
 * store that declares less than `process` nothing is demanded.
 * @throws Error with the clause and a timeline
 */
export async function playLeasedCrash(trial: ProcessTrial, crash: Crash): Promise<void> {
  const { crew, ledger } = trial;
  const workers = await crew.startAll();
  await workers[0].call("create", { runIds: RUN_IDS });
  const left = await crashOnce(trial, crash, workers, "leased");
  const reader = await crew.start();
  const { durability } = crew.capabilities();
  if (durability !== "process" && durability !== "power") return;
  const loads = startLoads([...left, reader], RUN_IDS, "leased");
  await progressOf(loads, ledger);
  assertEqual(await stopLoads(loads), [], "the failures after the crash");
  const logs = await reader.call("readLogs", { runIds: RUN_IDS });
  const operations = ledger.operations();
  const history = {
    operations: crash.mayFail ? doubtRefusals(landAgain(operations)) : operations,
    logs: new Map(RUN_IDS.map((runId, index) => [runId, logs[index] ?? []])),
  };
  failOn(lostAppend(history, durability) ?? checkHistory(history), history);
}

/** A driver may send a claim again by itself when its connection has broken, and be refused by its own lease. */
function doubtRefusals(operations: readonly Operation[]): readonly Operation[] {
  return operations.map((one) =>
    one.kind === "lease" && one.result.outcome === "claimed"
      ? { ...one, result: { outcome: "unknown" } }
      : one,
  );
}

/** @returns the processes that have lived on */
export async function crashOnce(
  trial: ProcessTrial,
  crash: Crash,
  workers: readonly [Worker, ...Worker[]],
  manner: LoadManner,
): Promise<readonly Worker[]> {
  const loads = startLoads(workers, RUN_IDS, manner);
  await progressOf(loads, trial.ledger);
  const alive = await crash.strike(loads, trial);
  const failures = await stopLoads(alive);
  if (!crash.mayFail) assertEqual(failures, [], "the failures of those that have lived on");
  return alive.map(({ worker }) => worker);
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

/**
 * A driver may send a call again by itself when its connection has broken. Then no answer shows that the batch was appended, and
 * the call that appended it is answered that it was replayed.
 */
export function landAgain(operations: readonly Operation[]): readonly Operation[] {
  const byBatch = Map.groupBy(operations, (one) => (one.kind === "append" ? one.ids[0] : null));
  return operations.map((one) => {
    if (one.kind !== "append" || one.result.outcome !== "replayed") return one;
    const sent = byBatch.get(one.ids[0]) ?? [];
    const mayHaveLanded = sent.some(
      (other) => other.kind === "append" && ["appended", "unknown"].includes(other.result.outcome),
    );
    if (mayHaveLanded || one !== sent[0]) return one;
    return { ...one, result: { ...one.result, outcome: "appended" } };
  });
}

export function lostAppend({ operations, logs }: History, durability: string): Violation | null {
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
function goOn(worker: Worker): Promise<readonly Operation[]> {
  const name = `${worker.name}-on`;
  const appends: readonly Sent[] = RUN_IDS.map((runId) => ({
    runId,
    ids: [`${name}.${runId}`],
    idempotencyKey: `${name}.${runId}`,
  }));
  return worker.call("send", { name, appends });
}
