import { describeValue } from "@tm/run-events-core/wire";

/**
 * Passes on the id of a run that a program gave.
 * @throws TypeError if it is no string, as where a variable was never set
 */
export function checkRunId(runId: unknown): string {
  if (typeof runId === "string") return runId;
  throw new TypeError(
    `Expected runId to be a string, got ${describeValue(runId)}. Pass the id of a run.`,
  );
}
