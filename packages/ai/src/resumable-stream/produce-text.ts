import { RunEventsError } from "@tm/run-events-core";
import { type ProduceOptions, produceRun } from "../produce/produce-run.ts";
import type { StreamRuns } from "../runs/stream-runs.ts";
import { DirectReader } from "./direct-reader.ts";
import { findStart, MERGE, readText, recordText } from "./text-log.ts";

/** Makes the stream that is recorded. The signal aborts when the stream is cancelled, by any process: pass it to the model. */
export type MakeStream = (signal: AbortSignal) => ReadableStream<string>;

/**
 * Makes a stream as its only producer, and records it.
 * @returns the stream; the refusal, `claimed` or `run_finished`, if there is one with this id
 * @throws what `makeStream` or `waitUntil` throws
 */
export async function produceText(
  streams: StreamRuns,
  options: ProduceOptions,
  streamId: string,
  makeStream: MakeStream,
): Promise<ReadableStream<string> | RunEventsError> {
  const runId = await streams.runIdOf(streamId);
  const reader = new DirectReader(() => {
    const start = findStart(streams, runId);
    return (skip) => readText(streams, runId, skip, start);
  });
  const { maxPayloadBytes } = streams.runs.log.limits;
  const produced = await produceRun(
    streams,
    runId,
    { metadata: { streamId }, merge: MERGE, ...options },
    (run) => makeStream(run.signal).getReader(),
    (run, source) => recordText(run, source, maxPayloadBytes, (text) => reader.push(text)),
  );
  if (produced instanceof RunEventsError) return produced;
  produced.done.then(
    () => reader.close(),
    (error: unknown) => reader.fail(error),
  );
  return reader.stream;
}
