import { RunEventsError, type WorkedRun } from "@tm/run-events-core";
import type { StreamRuns } from "./stream-runs.ts";

/** The longest time of a timer: about 24 days. */
const MAX_TIMER_MS = 2_147_483_647;

const EXPIRED = new Error("Stream expired");

/** A stream that this process produces. Its lease is renewed until it ends. */
export interface Producer {
  readonly run: WorkedRun;
  /** Begins the time to live again. */
  touch(): void;
  /** Ends the work. The run fails, unless its last event has landed. */
  end(hasLanded: boolean): void;
  /** Resolves when the work is over. */
  readonly over: Promise<unknown>;
}

/**
 * Elects the producer of a stream: creates its run, and claims it.
 * @param ttlMs how long the stream stays live without an append
 * @returns the producer in this process; the refusal, `claimed` or `run_finished`, if the stream exists
 */
export async function produce(
  streams: StreamRuns,
  runId: string,
  metadata: { readonly streamId: string; readonly ttlMs: number },
): Promise<Producer | RunEventsError> {
  const ended = Promise.withResolvers<void>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isOver = false;
  const touch = (): void => {
    clearTimeout(timer);
    // An append may land after the end: its timer would keep the process alive.
    if (isOver) return;
    timer = setTimeout(() => ended.reject(EXPIRED), Math.min(metadata.ttlMs, MAX_TIMER_MS));
  };
  const describeError = (error: unknown): string | undefined =>
    error === EXPIRED ? EXPIRED.message : undefined;
  const open = (run: WorkedRun): WorkedRun => {
    run.signal.addEventListener("abort", () => ended.reject(run.signal.reason), { once: true });
    touch();
    return run;
  };
  const work = (): Promise<void> =>
    ended.promise.finally(() => {
      isOver = true;
      clearTimeout(timer);
    });
  const produced = await streams.produce(runId, { metadata, describeError }, open, work);
  if (produced instanceof RunEventsError) return produced;
  const { value: run, done } = produced;
  const end: Producer["end"] = (hasLanded) =>
    hasLanded ? ended.resolve() : ended.reject(new Error("Expected the end to land."));
  return { run, touch, end, over: done.catch(() => {}) };
}
