import type { WorkEnd } from "../rules/diagnostic.ts";
import { RunEventsError } from "../rules/errors.ts";
import { isTerminal } from "../rules/lifecycle.ts";
import { codeOf, type Listener } from "../rules/telemetry.ts";
import type { ObservedWorker, RunAccess } from "./run-access.ts";

/**
 * Makes an access whose work is done in the context of the listener: it reports the begin, the loss of the lease and the end. The value and
 * the error of a task do not pass through the listener, so it can change neither.
 * @param listener `null` to return the access unchanged
 */
export function observedAccess(access: RunAccess, listener: Listener | null): RunAccess {
  if (listener === null) return access;
  const { report, aroundWork } = listener;
  const { clock } = access;

  const observe: RunAccess["observe"] = (worker, task, claim, sentAtMs) => {
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
  };
  return { ...access, observe };
}

function outcomeOf({ at, reason }: ObservedWorker["state"]): WorkEnd["outcome"] {
  if (at === "parked" || at === "lost") return at;
  const status = reason instanceof RunEventsError ? reason.details.runStatus : undefined;
  return at === "ended" && status !== undefined && isTerminal(status) ? status : "left";
}
