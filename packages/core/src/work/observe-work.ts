import type { WorkEnd } from "../rules/diagnostic.ts";
import { RunEventsError } from "../rules/errors.ts";
import { isTerminal } from "../rules/lifecycle.ts";
import { codeOf, type Listener } from "../rules/telemetry.ts";
import type { Clock } from "../time/clock.ts";
import type { ClaimedRun } from "./run-access.ts";
import type { WorkedRun } from "./worked-run.ts";
import type { Worker } from "./worker.ts";
import type { WorkState } from "./work-state.ts";

/**
 * Does the work in the context of the listener, and reports its start, the loss of the lease and its end. The value and the error of the task
 * do not pass through the listener, so it can change neither.
 * @param sentAtMs when the claim was sent, by the clock
 */
export function observeWork<Value>(
  worker: Worker,
  task: (run: WorkedRun) => Value | Promise<Value>,
  claim: ClaimedRun,
  sentAtMs: number,
  clock: Clock,
  { report, aroundWork }: Listener,
): Promise<Value> {
  const { runId, lastSequence, metadata } = claim;
  const claimedAtMs = clock.now();
  report({ type: "work_begun", runId, ms: claimedAtMs - sentAtMs });

  let isReported = false;
  function reportLoss(): void {
    const { state } = worker;
    if (state.at !== "lost" || isReported) return;
    isReported = true;
    report({ type: "lease_lost", runId, reason: codeOf(state.reason) });
  }
  async function end(work: Promise<unknown>): Promise<WorkEnd> {
    await work.catch(() => {});
    // The lease may also be lost before the task, or after a shutdown.
    reportLoss();
    const ended = { outcome: outcomeOf(worker.state), ms: clock.now() - claimedAtMs };
    report({ type: "work_ended", runId, ...ended });
    return ended;
  }
  function begin() {
    const work = worker.work((run) => {
      run.signal.addEventListener("abort", reportLoss, { once: true });
      return task(run);
    });
    return { work, ended: end(work) };
  }
  let begun: ReturnType<typeof begin> | null = null;
  const beginOnce = () => (begun ??= begin());

  const parsed = (): unknown => (metadata === undefined ? undefined : JSON.parse(metadata));
  aroundWork?.({ runId, lastSequence, metadata: parsed }, () => beginOnce().ended);
  const { work, ended } = beginOnce();
  // The end is reported first, so a caller may exit after its work and lose no report.
  return ended.then(() => work);
}

function outcomeOf(state: WorkState): WorkEnd["outcome"] {
  if (state.at === "parked" || state.at === "lost") return state.at;
  if (state.at !== "ended" || !(state.reason instanceof RunEventsError)) return "left";
  const { runStatus } = state.reason.details;
  return runStatus !== undefined && isTerminal(runStatus) ? runStatus : "left";
}
