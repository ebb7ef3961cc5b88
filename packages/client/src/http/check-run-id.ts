import { describeValue } from "@tm/run-events-core/wire";

/**
 * Checks that the id of a run is a string, and returns it.
 * @throws TypeError if it is not a string, for example because a variable was never set
 */
export function checkRunId(runId: unknown): string {
  if (typeof runId === "string") return runId;
  throw new TypeError(`Expected runId to be a string, got ${describeValue(runId)}.`);
}
