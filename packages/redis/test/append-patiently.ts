import { type RunEvents, RunEventsError } from "@tm/run-events-core";

/** Appends as a program does that goes on while the store says that it may try again. */
export async function appendPatiently(
  runs: RunEvents,
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
