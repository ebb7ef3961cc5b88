import { checkOptions } from "../rules/owner.ts";
import type { Listener } from "../rules/telemetry.ts";
import { checkWorkerName } from "../rules/short-text.ts";
import { holdProcess } from "../time/clock.ts";
import { observeWork } from "./observe-work.ts";
import { checkTask } from "./work-failures.ts";
import type { ClaimedRun, RunAccess } from "./run-access.ts";
import { checkEmitOptions, checkEndOptions, type WorkOptions } from "./work-options.ts";
import type { WorkedRun } from "./worked-run.ts";
import { Worker } from "./worker.ts";

export interface StartedWork<Value> {
  readonly runId: string;
  /** The outcome of `runWork`. A rejection that nothing awaits is not an unhandled one. */
  readonly done: Promise<Value>;
}

/**
 * Works on a run under a lease: claims it, keeps the lease, calls the task, and ends the run after all events of the task. See
 * `RunEvents.work`.
 * @see clauses W31 and W32 in `WIRE.md` of `@tm/run-events-http`
 */
export async function runWork<Value>(
  access: RunAccess,
  runId: string,
  options: WorkOptions,
  task: (run: WorkedRun) => Value | Promise<Value>,
  listener: Listener | null = null,
): Promise<Value> {
  const claim: Begin = (leaseMs, worker) => access.claim(runId, leaseMs, worker);
  const { done } = await startWork(access, claim, options, task, listener);
  return done;
}

/** Claims the run of a work, or creates and claims it. */
type Begin = (leaseMs: number, worker: string | null) => Promise<ClaimedRun>;

/**
 * Does the same, and resolves when the run is claimed.
 * @param begin claims the run, or creates and claims it
 * @param listener `null` if nothing listens
 * @see clause W36 in `WIRE.md` of `@tm/run-events-http`
 */
export async function startWork<Value>(
  access: RunAccess,
  begin: Begin,
  options: WorkOptions,
  task: (run: WorkedRun) => Value | Promise<Value>,
  listener: Listener | null,
): Promise<StartedWork<Value>> {
  checkOptions(options, "{ leaseMs }");
  checkEmitOptions(options);
  checkEndOptions(options);
  checkTask(task);
  const { leaseMs, signal } = options;
  const name = checkWorkerName(options.worker);
  const { closing } = access;
  const shutdown = signal === undefined ? closing : AbortSignal.any([signal, closing]);
  shutdown.throwIfAborted();
  // The process must stay alive while a program works.
  const letGo = holdProcess();
  try {
    let sentAtMs = access.clock.now();
    const claim = await begin(leaseMs, name);
    const { runId, fence } = claim;
    if (access.clock.now() - sentAtMs >= leaseMs) {
      // The answer came late, perhaps because the claim was sent again. The lease may still run: only the store knows.
      sentAtMs = access.clock.now();
      await access.renew(runId, fence, leaseMs);
    }
    const worker = new Worker(access, { ...claim, leaseMs, sentAtMs }, shutdown, options);
    const work =
      listener === null
        ? worker.work(task)
        : observeWork(worker, task, claim, sentAtMs, access.clock, listener);
    const done = work.finally(letGo);
    // A program that only starts the work need not await its end.
    done.catch(() => {});
    return { runId, done };
  } catch (error) {
    letGo();
    throw error;
  }
}
