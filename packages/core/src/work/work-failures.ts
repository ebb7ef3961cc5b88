import { describeValue } from "../rules/describe-value.ts";
import { RunEventsError } from "../rules/errors.ts";

/** @throws TypeError unless the task can be called */
export function checkTask(task: unknown): void {
  if (typeof task === "function") return;
  throw new TypeError(
    `Expected the task to be a function such as async (run) => …, got ${describeValue(task)}.`,
  );
}

/** The error of a worker whose lease expired by its own clock. Another worker may have the run. @see clause W31 in `WIRE.md` of `@tm/run-events-http` */
export function leaseOver(): RunEventsError {
  return new RunEventsError("fenced", "The lease expired: another worker may have the run. Stop.");
}

/** The error of a task that parks its run while a question is open. @see clause W40 in `WIRE.md` of `@tm/run-events-http` */
export function parkedWhileAsking(): TypeError {
  return new TypeError(
    "Expected no open question of `run.ask` when the run is parked, got one. Append INPUT_REQUESTED in place of `run.ask`, and then park the run.",
  );
}

/** The error of a task that goes on to use a run which it has parked. @see clause W40 in `WIRE.md` of `@tm/run-events-http` */
export function runParked(): RunEventsError {
  return new RunEventsError(
    "fenced",
    "Expected a run that this worker has, but the task has parked it. Return from the task, and claim the run again later.",
  );
}

export function isFinished(error: unknown): boolean {
  return error instanceof RunEventsError && error.code === "run_finished";
}

/** Whether the error shows that the worker has to stop: the run has finished, or its log has lost events that the worker knows. */
export function endsWork(error: unknown): boolean {
  return error instanceof RunEventsError && (isFinished(error) || error.code === "history_changed");
}

/** Whether the store refused for now, and may accept later. */
export function isStoreAway(error: unknown): boolean {
  return error instanceof RunEventsError && error.code === "store_unavailable";
}

/** Whether an append may land later: the store is away, or too much of its owner waits for it. */
export function mayLandLater(error: unknown): boolean {
  return (
    isStoreAway(error) || (error instanceof RunEventsError && error.code === "too_many_requests")
  );
}

/** Whether the append that failed may have landed. */
export function isInDoubt(error: unknown): boolean {
  return error instanceof RunEventsError && error.ambiguous;
}
