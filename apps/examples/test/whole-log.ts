import type { OwnedRuns } from "@tm/run-events-core";

/** The log of a run that the recipes' agent has finished, in every case. */
export const STEPS: readonly string[] = [
  "STEP_STARTED flight",
  "STEP_DONE flight",
  "STEP_STARTED hotel",
  "STEP_DONE hotel",
  "STEP_STARTED mail",
  "STEP_DONE mail",
  "RUN_COMPLETED",
];

/** A run's events as `TYPE tool`, once it has ended. Checks that sequences have no gap. */
export async function wholeLog(runs: OwnedRuns, runId: string): Promise<readonly string[]> {
  const log: string[] = [];
  for await (const { sequence, eventType, payload } of runs.tail(runId)) {
    const { tool } = (payload ?? {}) as { readonly tool?: string };
    if (sequence !== log.length + 1) throw new Error(`Expected event ${log.length + 1}.`);
    log.push(tool === undefined ? eventType : `${eventType} ${tool}`);
  }
  return log;
}
