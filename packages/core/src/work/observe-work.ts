import type { WorkEnd } from "../rules/diagnostic.ts";
import { RunEventsError } from "../rules/errors.ts";
import { isTerminal } from "../rules/lifecycle.ts";
import { codeOf, type Listener } from "../rules/telemetry.ts";
import type { Clock } from "../time/clock.ts";
import type { ClaimedRun, ObservedWorker, RunAccess } from "./run-access.ts";
import type { WorkedRun } from "./worked-run.ts";

/** Work that has begun. */
interface Begun<Value> {
  readonly work: Promise<Value>;
  /** Does not reject. */
  readonly ended: Promise<WorkEnd>;
}

/** Makes an access whose work is reported. @param listener `null` to return the access unchanged */
export function observedAccess(access: RunAccess, listener: Listener | null): RunAccess {
  if (listener === null) return access;
  return {
    ...access,
    observe: (worker, task, claim, sentAtMs) =>
      observeWork(worker, task, { listener, clock: access.clock, claim, sentAtMs }),
  };
}

/** The listener of some work, and its claim. */
interface Observation {
  readonly listener: Listener;
  readonly clock: Clock;
  readonly claim: ClaimedRun;
  readonly sentAtMs: number;
}

/**
 * Does the work of a claimed run in the context of the listener. It reports the begin, the loss of the lease and the end.
 * The value and the error of the task do not pass through the listener, so it can change neither.
 */
function observeWork<Value>(
  worker: ObservedWorker,
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
    // The lease may also be lost before the task, or after a shutdown.
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
  // The end is reported first, so a caller may exit after its work and lose no report.
  return ended.then(() => work);
}

function outcomeOf({ at, reason }: ObservedWorker["state"]): WorkEnd["outcome"] {
  if (at === "parked" || at === "lost") return at;
  const status = reason instanceof RunEventsError ? reason.details.runStatus : undefined;
  return at === "ended" && status !== undefined && isTerminal(status) ? status : "left";
}
