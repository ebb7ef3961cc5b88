import { type OwnedRuns, RunEventsError } from "@tm/run-events-core";

/** Appends like a program that tries again while the error is retryable. */
export async function appendPatiently(
  runs: OwnedRuns,
  runId: string,
  payload: number,
): Promise<void> {
  const idempotencyKey = crypto.randomUUID();
  for (;;) {
    try {
      await runs.append(runId, [{ eventType: "LOG_LINE", payload }], { idempotencyKey });
      return;
    } catch (error) {
      if (!(error instanceof RunEventsError) || !error.retryable) throw error;
    }
  }
}
