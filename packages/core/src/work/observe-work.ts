import type { WorkEnd } from "../rules/diagnostic.ts";
import { codeOf, type Listener } from "../rules/telemetry.ts";
import type { Clock } from "../time/clock.ts";
import type { ClaimedRun } from "./run-access.ts";
import type { WorkState } from "./work-state.ts";
import type { WorkedRun } from "./worked-run.ts";
import type { Worker } from "./worker.ts";

/** Who listens to a work, and what it is about. */
interface Observation {
  readonly listener: Listener;
  readonly clock: Clock;
  readonly claim: ClaimedRun;
  /** When the claim was sent, by the clock. */
  readonly sentAtMs: number;
}

/** A work under way. */
interface Begun<Value> {
  readonly work: Promise<Value>;
  /** Does not reject. */
  readonly ended: Promise<WorkEnd>;
}

/**
 * Does the work of a claimed run in the context that the listener gives it, and reports its begin, the loss of its lease and its end.
 * The value and the error of the task do not pass through the listener, so it can change neither.
 */
export function observeWork<Value>(
  worker: Worker,
  task: (run: WorkedRun) => Value | Promise<Value>,
  { listener: { report, aroundWork }, clock, claim, sentAtMs }: Observation,
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
  function observed(run: WorkedRun): Value | Promise<Value> {
    run.signal.addEventListener("abort", reportLoss, { once: true });
    return task(run);
  }
  async function end(work: Promise<Value>): Promise<WorkEnd> {
    await work.catch(() => {});
    // Also a loss before the task, or after a shutdown.
    reportLoss();
    const ended = { outcome: outcomeOf(worker.state), ms: clock.now() - claimedAtMs };
    report({ type: "work_ended", runId, ...ended });
    return ended;
  }
  function begin(): Begun<Value> {
    const work = worker.work(observed);
    return { work, ended: end(work) };
  }
  let begun: Begun<Value> | null = null;
  const beginOnce = (): Begun<Value> => (begun ??= begin());

  const parsed = (): unknown => (metadata === undefined ? undefined : JSON.parse(metadata));
  aroundWork?.({ runId, lastSequence, metadata: parsed }, () => beginOnce().ended);
  const { work, ended } = beginOnce();
  // So a caller that exits after its work has the reports of its end, and a listener's span.
  return ended.then(() => work);
}

function outcomeOf(state: WorkState): WorkEnd["outcome"] {
  if (state.at === "ended") return state.runStatus;
  return state.at === "parked" || state.at === "lost" ? state.at : "left";
}
