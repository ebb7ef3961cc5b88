import type { RunEvent, WorkedRun, WorkOptions } from "@tm/run-events-core";
import { insist } from "../runs/insist.ts";
import { pulled } from "../streams/pulled.ts";
import { takeUntilStopped } from "../produce/read-until-stopped.ts";
import { splitText } from "../runs/split-text.ts";
import { cutShort, type StreamRuns } from "../runs/stream-runs.ts";

/** The type of the events that hold the text, each a part of it. */
const TEXT = "TEXT";

/** Joins neighbouring parts, so that a stream has few events. */
export const MERGE: NonNullable<WorkOptions["merge"]> = {
  [TEXT]: (texts: readonly string[]) => texts.join(""),
};

/**
 * Writes a stream of strings into a run, up to the end of the stream. If the worker has to stop, it cancels the stream.
 * @param reader of the stream
 * @param onText called with each string before it is written
 * @throws what the stream fails with, or the reason of the worker's signal
 */
export async function recordText(
  run: WorkedRun,
  reader: ReadableStreamDefaultReader<string>,
  maxPayloadBytes: number,
  onText: (text: string) => void,
): Promise<void> {
  try {
    // From here on readers may have text of this producer. The model is at work already.
    await insist(() => run.append([{ eventType: "RUN_STARTED" }]), run.signal);
  } catch (error) {
    reader.cancel(error).catch(() => {});
    throw error;
  }
  await takeUntilStopped(run.signal, reader, async (text) => {
    if (typeof text !== "string") {
      throw new TypeError(
        `Expected a stream of strings, got ${typeof text}. Pipe bytes through a TextDecoderStream.`,
      );
    }
    onText(text);
    for (const part of splitText(text, maxPayloadBytes)) await run.emit(TEXT, part);
    return false;
  });
}

/**
 * Finds the first event of a run of this process. Another run may get the same id later: by this event a reader learns that.
 * @returns a promise whose rejection may be ignored
 */
export function findStart({ runs, ownerId }: StreamRuns, runId: string): Promise<RunEvent> {
  const found = runs.read(runId, { ownerId, limit: 1 }).then(({ events: [start] }) => {
    if (start === undefined) throw new TypeError("Expected a run that has begun, got no event.");
    return start;
  });
  found.catch(() => {});
  return found;
}

/**
 * Reads the text of a run from its log, as fast as the stream is read. Between two reads the stream holds only a cursor.
 * @param skip how many UTF-16 units to leave out
 * @param start the first event of the run that is meant. Without it, the run that has the id at the first read
 * @returns a stream that ends with the run, and fails with `run_finished` if the run was cut short
 */
export function readText(
  streams: StreamRuns,
  runId: string,
  skip: number,
  start?: Promise<RunEvent>,
): ReadableStream<string> {
  return pulled((signal) => partsOf(streams, runId, skip, signal, start));
}

async function* partsOf(
  streams: StreamRuns,
  runId: string,
  skip: number,
  signal: AbortSignal,
  start: Promise<RunEvent> | undefined,
): AsyncGenerator<string, void> {
  let left = skip;
  // The first event holds no text.
  const { sequence = 0, createdAt } = (await start) ?? {};
  for await (const event of streams.follow(runId, sequence, signal, createdAt)) {
    const { eventType, payload } = event;
    const failure = cutShort(event);
    if (failure !== null) throw failure;
    if (eventType !== TEXT || typeof payload !== "string") continue;
    const part = payload.slice(left);
    left = Math.max(0, left - payload.length);
    if (part !== "") yield part;
  }
}
