import fc from "fast-check";
import { RUN_IDS } from "../races/race.ts";
import { type RacePlace, RaceClient } from "../races/race-client.ts";
import { beginning, type Theme } from "../races/themes.ts";
import { requireOrder } from "../races/explain.ts";
import type { Asked } from "../races/operation.ts";
import { READ_ALL } from "../races/run-race.ts";
import { readLog } from "../read-log.ts";
import { checkDue } from "./check-due.ts";
import type { Draws } from "./draws.ts";
import { Load, progressOf } from "./load.ts";
import type { ProcessTrial } from "./process-case.ts";
import type { Worker } from "./start-worker.ts";
import { untilAnswered } from "./until-answered.ts";

/** A way to crash. */
export interface Crash {
  /** Crashes amid calls. @returns those that have lived on */
  readonly strike: (loads: readonly Load[], draws: Draws) => Promise<readonly Load[]>;
  /** Then calls of those that live on may fail, and drivers may send calls again. */
  readonly isOfServer: boolean;
}

/** The tools of a crash. The workers may be in this process, if all that crashes is their server. */
export interface CrashTrial extends Pick<ProcessTrial, "draws"> {
  readonly crew: Pick<ProcessTrial["crew"], "start" | "startAll">;
}

/** A process begins again after this many steps. */
const STEPS = 200;
/** The number of answered calls under a key, the youngest ones, that are made again. */
const RECEIPTS = 30;
/** The number of calls that each process makes after the crash. */
const LATER_CALLS = 30;

/**
 * Lets processes make calls, crashes, makes again what is under a key, and lets what is left and a new process go on. A store that declares
 * less than `process` has to keep only logs from 1 to their heads.
 * @throws BrokenClause of this clause unless the model explains every answer
 */
export async function playCrash(
  { crew, draws }: CrashTrial,
  { strike, isOfServer }: Crash,
  clause: string,
  theme: Theme,
): Promise<void> {
  let instant = 0;
  const place: RacePlace = {
    prefix: "",
    now: () => (instant += 1),
    operations: [],
    mayRepeat: isOfServer,
  };
  const steps = fc.array(theme.step, { minLength: STEPS, maxLength: STEPS });
  const loadOf = (worker: Worker, client: RaceClient): Load =>
    new Load(worker, client, draws(steps));

  const workers = await crew.startAll();
  const first = new RaceClient("0", workers[0].store, place);
  await first.run(draws(beginning(theme)));
  const loads = workers.map((worker) =>
    loadOf(worker, new RaceClient(worker.name, worker.store, place, first.seen)),
  );
  await progressOf(loads);
  const left = await strike(loads, draws);
  await stopAll(left, isOfServer);
  // It was not there before the crash, so that it knows nothing but what is left.
  const reader = await crew.start();
  const { store } = reader;
  if (!outlivesProcesses(reader)) return checkLogs(reader);
  if (isOfServer)
    await Promise.all(left.map(({ worker }) => untilAnswered(() => worker.store.probe())));
  const client = new RaceClient(reader.name, store, place);
  await client.run(READ_ALL);
  for (const asked of keyed(place)) await untilAnswered(() => client.make(asked));
  await checkDue(store);
  const later = [...left.map((one) => loadOf(one.worker, one.client)), loadOf(reader, client)];
  await progressOf(later, LATER_CALLS);
  await stopAll(later, false);
  await checkDue(store);
  await client.run(READ_ALL);
  requireOrder(clause, place.operations);
}

async function stopAll(loads: readonly Load[], mayFail: boolean): Promise<void> {
  for (const failure of await Promise.all(loads.map((load) => load.stop()))) {
    if (failure !== null && !mayFail) throw failure;
  }
}

/** The calls under a key: those without an answer, and the youngest that have one. */
function keyed({ operations }: RacePlace): Iterable<Asked> {
  const asked = operations.filter((one) => one.asked.isKeyed);
  const open = asked.filter(({ endedAt }) => endedAt === Infinity);
  const answered = asked.filter(({ endedAt }) => endedAt !== Infinity).slice(-RECEIPTS);
  return new Set([...open, ...answered].map((one) => one.asked));
}

/** Whether the store declares that what it has acknowledged outlives a crash. */
function outlivesProcesses({ store }: Worker): boolean {
  const { durability } = store.capabilities;
  return durability === "process" || durability === "power";
}

async function checkLogs({ store }: Worker): Promise<void> {
  for (const runId of RUN_IDS) {
    if ((await store.getRun(runId)) !== null) await readLog(store, runId);
  }
}
