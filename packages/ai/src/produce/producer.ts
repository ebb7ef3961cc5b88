import {
  type AppendReceipt,
  type EventDraft,
  RunEventsError,
  type WorkedRun,
} from "@tm/run-events-core";
import { insist } from "../runs/insist.ts";
import { produceRun } from "./produce-run.ts";
import type { StreamRuns } from "../runs/stream-runs.ts";
import { IdleTimer } from "./idle-timer.ts";

const EXPIRED = new Error("Stream expired");

/** A stream that this process produces. Its lease is renewed until it ends. */
export interface Producer {
  readonly run: WorkedRun;
  /**
   * Makes these appends one after another, after those of earlier calls. While the store is away and the lease lasts, an append is made
   * again. Each that lands begins the time to live again.
   * @throws the first failure. The appends before it have landed
   */
  append(batches: readonly (readonly EventDraft[])[]): Promise<readonly AppendReceipt[]>;
  /** Resolves when the appends of earlier calls have landed or failed. */
  idle(): Promise<unknown>;
  /** Ends the work. The run fails, unless its last event has landed. */
  end(hasLanded: boolean): void;
  /** Resolves when the work is over. */
  readonly over: Promise<unknown>;
}

/**
 * Elects the producer of a stream: creates its run, and claims it.
 * @param metadata.ttlMs how long the stream stays live without an append of any process, in milliseconds
 * @param onStop called once the worker has to stop
 * @returns the producer in this process; the refusal, `claimed` or `run_finished`, if the stream exists
 * @throws TypeError for a `ttlMs` that is no number of 0 or more
 */
export async function produce(
  streams: StreamRuns,
  runId: string,
  metadata: { readonly streamId: string; readonly ttlMs: number },
  onStop: (reason: unknown) => void = () => {},
): Promise<Producer | RunEventsError> {
  const { ttlMs } = metadata;
  if (!(ttlMs >= 0)) {
    throw new TypeError(
      `Expected a time to live of 0 or more milliseconds, got ${ttlMs}. Pass such a number, or \`Infinity\`.`,
    );
  }
  const ended = Promise.withResolvers<void>();
  const timer = new IdleTimer(ttlMs, {
    lastSequence: async () => (await streams.find(runId))?.lastSequence,
    onIdle: () => ended.reject(EXPIRED),
  });
  const describeError = (error: unknown): string | undefined =>
    error === EXPIRED ? EXPIRED.message : undefined;
  const open = (run: WorkedRun): WorkedRun => {
    const stop = (): void => {
      ended.reject(run.signal.reason);
      onStop(run.signal.reason);
    };
    run.signal.addEventListener("abort", stop, { once: true });
    timer.begin(run.lastSequence);
    return run;
  };
  const work = (): Promise<void> => ended.promise.finally(() => timer.stop());
  const produced = await produceRun(streams, runId, { metadata, describeError }, open, work);
  if (produced instanceof RunEventsError) return produced;
  const { value: run, done } = produced;
  /** The appends so far. Never rejects. */
  let last: Promise<unknown> = Promise.resolve();

  async function appendAll(
    batches: readonly (readonly EventDraft[])[],
  ): Promise<readonly AppendReceipt[]> {
    const receipts: AppendReceipt[] = [];
    for (const events of batches) {
      const receipt = await insist(() => run.append(events), run.signal);
      timer.begin(receipt.lastSequence);
      receipts.push(receipt);
    }
    return receipts;
  }

  return {
    run,
    append(batches) {
      const appended = last.then(() => appendAll(batches));
      last = appended.catch(() => {});
      return appended;
    },
    idle: () => last,
    end: (hasLanded) =>
      hasLanded ? ended.resolve() : ended.reject(new Error("Expected the end to land.")),
    over: done.catch(() => {}),
  };
}
