import type { RunEvent, RunSnapshot } from "@tm/run-events-core";
import { runNotFound } from "@tm/run-events-core/store";
import type { StreamChunk } from "@tanstack/ai";
import { Pauses } from "../runs/pauses.ts";
import { encodePlace } from "../runs/run-place.ts";
import { cutShort, type StreamRuns } from "../runs/stream-runs.ts";
import { readLog } from "../runs/topic-runs.ts";
import { chunkOf } from "./chunks.ts";
import { isClosedWithError } from "./plan-end.ts";
import { isPlace, sequenceOf } from "./offset.ts";

/** The request of a reader. */
export interface ChunkQuery {
  readonly name: string;
  readonly offset: string;
  readonly signal: AbortSignal | undefined;
  readonly firstChunkDeadlineMs: number;
}

/** A chunk, and the offset after which a reader goes on from it. */
interface PlacedChunk {
  readonly offset: string;
  readonly chunk: StreamChunk;
}

/**
 * Reads the chunks of a run after an offset, and follows it until it is closed. An abort ends it without an error.
 * @throws RunEventsError `not_found`; `run_finished` if the producer died or was cancelled
 * @throws Error for an offset of another run, or of another store
 */
export async function* readChunks(
  streams: StreamRuns,
  query: ChunkQuery,
): AsyncGenerator<PlacedChunk, void> {
  const { name, offset, signal = new AbortController().signal } = query;
  sequenceOf(offset, name, 0);
  const runId = await streams.runIdOf(name);
  const run = await findRun(streams, runId, query, signal);
  if (signal.aborted) return;
  if (run === null) throw runNotFound();
  const since = sequenceOf(offset, name, run.lastSequence);
  try {
    for await (const event of streams.follow(runId, since, signal)) {
      if (signal.aborted) return;
      const failure = isClosedWithError(event) ? null : cutShort(event);
      if (failure !== null) throw failure;
      const chunk = placedChunk(name, event);
      if (chunk !== null) yield chunk;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** The run. A reader without a chunk's offset waits for it: the producer's request may come later. */
async function findRun(
  streams: StreamRuns,
  runId: string,
  { offset, firstChunkDeadlineMs }: ChunkQuery,
  signal: AbortSignal,
): Promise<RunSnapshot | null> {
  const pauses = new Pauses();
  const untilMs = Date.now() + (isPlace(offset) ? firstChunkDeadlineMs : 0);
  for (;;) {
    const run = await streams.find(runId);
    if (run !== null || signal.aborted || Date.now() >= untilMs) return run;
    await pauses.next(signal);
  }
}

/** All chunks that a run has now; none if it does not exist. */
export async function readSnapshot(streams: StreamRuns, name: string): Promise<PlacedChunk[]> {
  const log = await readLog(streams, await streams.runIdOf(name));
  const found = log?.events.map((event) => placedChunk(name, event)) ?? [];
  return found.filter((chunk) => chunk !== null);
}

/** The chunk of an event, and its offset; `null` if it has none. */
function placedChunk(name: string, event: RunEvent): PlacedChunk | null {
  const chunk = chunkOf(event);
  return chunk && { offset: encodePlace(name, event.sequence), chunk };
}
