import { checkOptions } from "../rules/owner.ts";
import { checkWorkerName } from "../rules/worker-name.ts";
import { holdProcess } from "../time/clock.ts";
import { checkTask } from "./work-failures.ts";
import type { RunAccess } from "./run-access.ts";
import { checkEmitOptions, checkEndOptions, type WorkOptions } from "./work-options.ts";
import type { WorkedRun } from "./worked-run.ts";
import { Worker } from "./worker.ts";

/**
 * Works on a run under a lease: claims it, keeps the lease, calls the task, and ends the run after all events of the task. See
 * `RunEvents.work`.
 * @see clauses S21 and S22 in `STORE.md`
 */
export async function runWork<Value>(
  access: RunAccess,
  runId: string,
  options: WorkOptions,
  task: (run: WorkedRun) => Value | Promise<Value>,
): Promise<Value> {
  checkOptions(options, "{ leaseMs }");
  checkEmitOptions(options);
  checkEndOptions(options);
  checkTask(task);
  const { leaseMs, signal } = options;
  const name = checkWorkerName(options.worker);
  const shutdowns = [signal, access.closing].filter((one) => one !== undefined);
  for (const one of shutdowns) one.throwIfAborted();
  // The process must stay alive while a program works.
  const letGo = holdProcess();
  try {
    let sentAtMs = access.clock.now();
    const claim = await access.claim(runId, leaseMs, name);
    if (access.clock.now() - sentAtMs >= leaseMs) {
      // The answer came late, perhaps because the claim was sent again. The lease may still run: only the store knows.
      sentAtMs = access.clock.now();
      await access.renew(runId, claim.fence, leaseMs);
    }
    const worker = new Worker(access, runId, { ...claim, leaseMs, sentAtMs }, shutdowns, options);
    return await worker.work(task);
  } finally {
    letGo();
  }
}
