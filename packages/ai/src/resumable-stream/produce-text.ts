import { RunEventsError } from "@tm/run-events-core";
import type { StreamRuns } from "../stream-runs.ts";
import { DirectReader } from "./direct-reader.ts";
import { findStart, MERGE, readText, recordText } from "./text-log.ts";

/** Makes the stream that is recorded. The signal aborts when the stream is cancelled, by any process: pass it to the model. */
export type MakeStream = (signal: AbortSignal) => ReadableStream<string>;

/** How a stream is produced: the options of the context. */
interface ProduceOptions {
  readonly waitUntil: ((promise: Promise<unknown>) => unknown) | null | undefined;
  readonly mergeMs: number;
}

/**
 * Makes a stream as its only producer, and records it.
 * @returns the stream; the refusal, `claimed` or `run_finished`, if there is one with this id
 * @throws what `makeStream` or `waitUntil` throws
 */
export async function produceText(
  streams: StreamRuns,
  { waitUntil, mergeMs }: ProduceOptions,
  streamId: string,
  makeStream: MakeStream,
): Promise<ReadableStream<string> | RunEventsError> {
  const runId = await streams.runIdOf(streamId);
  const reader = new DirectReader(() => {
    const start = findStart(streams, runId);
    return (skip) => readText(streams, runId, skip, start);
  });
  const { maxPayloadBytes } = streams.runs.log.limits;
  const over = Promise.withResolvers<void>();
  // Before anything is made: a host that refuses must not leave a stream that nothing reads.
  askToStay(waitUntil, over.promise);
  try {
    const produced = await streams.produce(
      runId,
      { metadata: { streamId }, mergeMs, merge: MERGE },
      (run) => makeStream(run.signal).getReader(),
      (run, source) => recordText(run, source, maxPayloadBytes, (text) => reader.push(text)),
    );
    if (produced instanceof RunEventsError) {
      over.resolve();
      return produced;
    }
    const close = (): void => reader.close();
    const fail = (error: unknown): void => reader.fail(error);
    void produced.done.then(close, fail).finally(over.resolve);
    return reader.stream;
  } catch (error) {
    over.resolve();
    throw error;
  }
}

/** Asks the host to stay. Its own failure later on is not this program's: it must not end the process. */
function askToStay(waitUntil: ProduceOptions["waitUntil"], promise: Promise<unknown>): void {
  const answer = waitUntil?.(promise);
  if (answer instanceof Promise) answer.catch(() => {});
}
