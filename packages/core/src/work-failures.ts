import { describeValue } from "./describe-value.ts";
import { RunEventsError } from "./errors.ts";
import type { AppendLimits } from "./lifecycle.ts";

/** @throws TypeError unless the task can be called */
export function checkTask(task: unknown): void {
  if (typeof task === "function") return;
  throw new TypeError(
    `Expected the task to be a function, as in work(runId, { leaseMs }, async (run) => …), got ${describeValue(task)}.`,
  );
}

/** The error of a worker that has not been heard of for as long as its lease, whoever has the run now. @see S21 */
export function leaseOver(): RunEventsError {
  return new RunEventsError("fenced", "The lease ran out before it was renewed.");
}

/** Whether somebody ended the run. */
export function isFinished(error: unknown): boolean {
  return error instanceof RunEventsError && error.code === "run_finished";
}

/** Whether the store has not taken what it may take later. */
export function isStoreAway(error: unknown): boolean {
  return error instanceof RunEventsError && error.code === "store_unavailable";
}

/** Whether what failed may have landed. */
export function isInDoubt(error: unknown): boolean {
  return error instanceof RunEventsError && error.ambiguous;
}

/** What a failed run says of its failure: no stack. Cut so that it fits, if each of its units takes an escape. */
export function messageOf(error: unknown, { maxPayloadBytes }: AppendLimits): string {
  const message: unknown = (error as { readonly message?: unknown } | null | undefined)?.message;
  const text = typeof message === "string" ? message : error;
  const known = typeof text === "string" ? text : "The task threw what is no error.";
  return known.slice(0, Math.max(0, maxPayloadBytes / 6 - 3));
}
