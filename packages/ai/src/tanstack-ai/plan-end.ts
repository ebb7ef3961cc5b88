import type { EventDraft, RunEvent } from "@tm/run-events-core";
import type { StreamChunk } from "@tanstack/ai";

/** The end of a run that was closed after the chunk of its error: readers have that chunk, so for them the run is whole. */
const CLOSED_WITH_ERROR = { reason: "run_error" };

/** A run as its producer closes it. */
interface ClosedRun {
  readonly lastChunk: StreamChunk | undefined;
  /** Whether chunks were lost. */
  readonly isTorn: boolean;
  /** Whether the producer had to stop. */
  readonly isStopped: boolean;
}

/** The end of a run. Its producer closes it in any case, and does not say whether the run is whole. */
export function planEnd({ lastChunk, isTorn, isStopped }: ClosedRun): EventDraft {
  if (lastChunk?.type === "RUN_ERROR")
    return { eventType: "RUN_FAILED", payload: CLOSED_WITH_ERROR };
  if (isTorn) return { eventType: "RUN_FAILED", payload: { reason: "error" } };
  // `RUN_FINISHED` also ends each round of an agent that calls tools.
  const isFinished = lastChunk?.type === "RUN_FINISHED" && lastChunk.finishReason !== "tool_calls";
  return isStopped && !isFinished
    ? { eventType: "RUN_FAILED", payload: { reason: "aborted" } }
    : { eventType: "RUN_COMPLETED" };
}

/** Whether the event is the end of a run whose readers have its error as a chunk. */
export function isClosedWithError({ payload }: RunEvent): boolean {
  const { reason } = (payload ?? {}) as { readonly reason?: unknown };
  return reason === CLOSED_WITH_ERROR.reason;
}
