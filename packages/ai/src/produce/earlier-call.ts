import { type EventDraft, RunEventsError } from "@tm/run-events-core";
import { cutShort, type StreamRuns } from "../runs/stream-runs.ts";

/** A call that is made again, and the run of the first one. */
export interface EarlierCall {
  readonly runId: string;
  /** The last sequence of the run before that call. */
  readonly since: number;
  /** The name of what both calls have in common, for an error's text: `idempotency key`, or `runId` in quotes. */
  readonly key: string;
  /** Whether the event is what the call has asked. It throws if the first call has asked something else. */
  readonly isAsked: (event: EventDraft) => boolean;
}

/**
 * Resolves once what was asked is recorded. If the process of the first call has died, the run ends once its lease has expired.
 * @returns `done`, which resolves at the end of the run or at its next question. It rejects with `run_finished` if the run fails or is
 * stopped
 * @throws RunEventsError `run_finished` if the run has ended without what was asked
 */
export async function joinEarlier(
  streams: StreamRuns,
  { runId, since, key, isAsked }: EarlierCall,
): Promise<{ readonly done: Promise<void> }> {
  for await (const event of streams.follow(runId, since, new AbortController().signal)) {
    if (!isAsked(event)) continue;
    let done: Promise<void> | undefined;
    return {
      /** Follows the run only once `done` is read: a call may be made again often. */
      get done() {
        done ??= followToEnd(streams, runId, since);
        done.catch(() => {});
        return done;
      },
    };
  }
  throw new RunEventsError(
    "run_finished",
    `Expected the run of this ${key} to have the request of the first call, got one that ended before that. Ask with a new ${key}.`,
  );
}

async function followToEnd(streams: StreamRuns, runId: string, since: number): Promise<void> {
  for await (const event of streams.follow(runId, since, new AbortController().signal)) {
    const error = cutShort(event);
    if (error !== null) throw error;
    // A run that waits has no worker, so no more would come.
    if (event.eventType === "INPUT_REQUESTED") return;
  }
}
