import { setTimeout } from "node:timers/promises";
import { within } from "../within.ts";
import type { Draws } from "./draws.ts";
import type { Ledger } from "./ledger.ts";
import type { Worker } from "./start-worker.ts";
import type { LoadManner } from "./worker-commands.ts";

/** What processes do, and the runs or topics that they do it to. */
export interface Manner {
  readonly manner: LoadManner;
  readonly runIds: readonly string[];
}

/** A process that appends until it is stopped. */
export interface LoadOfWorker {
  readonly worker: Worker;
  readonly ended: Promise<{ readonly failure: string | null }>;
}

const PROGRESS = 5;
/** How many reports go before a crash; at least half as many do. */
const MOST_REPORTS = 30;
/** Bounds a hang, as of a process that waits for a lock of a dead one. */
const PROGRESS_DEADLINE_MS = 10_000;

/** Starts one in each process. */
export function startLoads(workers: readonly Worker[], manner: Manner): readonly LoadOfWorker[] {
  return workers.map((worker) => {
    const ended = worker.call("load", { name: worker.name, ...manner });
    // That of a process that is killed; of all others it is awaited.
    ended.catch(() => {});
    return { worker, ended };
  });
}

/**
 * Each has some more appends acknowledged.
 * @throws Error if one ends, or does not get on
 */
export async function progressOf(loads: readonly LoadOfWorker[], ledger: Ledger): Promise<void> {
  const goals = loads.map(({ worker: { name } }) => ({
    name,
    count: ledger.acknowledged(name) + PROGRESS,
  }));
  await meanwhile(
    loads,
    ledger.until(() => goals.every(({ name, count }) => ledger.acknowledged(name) >= count)),
  );
}

/** When to crash. */
export interface Strike {
  /** After how many more reports. */
  readonly reports: number;
  /** How much later, as a share of a call. */
  readonly lateness: number;
}

/** Some instant: when a process has just reported a call, or half the time anywhere in a call. */
export function planStrike({ fraction }: Draws): Strike {
  const reports = Math.ceil((MOST_REPORTS / 2) * (1 + fraction()));
  return { reports, lateness: Math.max(0, 2 * fraction() - 1) };
}

/** Waits for some instant at which they append. */
export async function amidCalls(
  loads: readonly LoadOfWorker[],
  ledger: Ledger,
  draws: Draws,
): Promise<void> {
  const { reports: more, lateness } = planStrike(draws);
  const reports = (): number =>
    loads.reduce((sum, { worker }) => sum + ledger.reports(worker.name), 0);
  const before = reports();
  const startedAtMs = performance.now();
  await meanwhile(
    loads,
    ledger.until(() => reports() >= before + more),
  );
  // Two reports a call.
  const callMs = ((performance.now() - startedAtMs) * loads.length * 2) / more;
  if (lateness > 0) await setTimeout(lateness * callMs);
}

/**
 * Waits for something while they all append.
 * @throws Error if one ends, or it does not come
 */
async function meanwhile(loads: readonly LoadOfWorker[], owed: Promise<void>): Promise<void> {
  const ends = loads.map(async ({ worker, ended }) => {
    const { failure } = await ended;
    throw new Error(
      `The store of worker ${worker.name} failed, and nothing of its own had crashed: ${failure}`,
    );
  });
  await within(PROGRESS_DEADLINE_MS, Promise.race([owed, ...ends]), "all processes to get on");
}

/** Ends them. @returns what they failed with, of those that did */
export async function stopLoads(loads: readonly LoadOfWorker[]): Promise<readonly string[]> {
  const failures: string[] = [];
  for (const { worker, ended } of loads) {
    await worker.call("stop", null);
    const { failure } = await ended;
    if (failure !== null) failures.push(`worker ${worker.name}: ${failure}`);
  }
  return failures;
}
