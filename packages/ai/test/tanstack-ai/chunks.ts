import type { StreamChunk, StreamDurability } from "@tanstack/ai";
import { EventType } from "@tanstack/ai";

/** A part of an answer. */
export function textChunk(delta: string): StreamChunk {
  return { type: EventType.TEXT_MESSAGE_CONTENT, messageId: "m", delta };
}

/** The first chunk of an answer. */
export function startChunk(runId: string): StreamChunk {
  return { type: EventType.RUN_STARTED, runId, threadId: "t" };
}

/** The last chunk of an answer. */
export function finishChunk(runId: string): StreamChunk {
  return { type: EventType.RUN_FINISHED, runId, threadId: "t" };
}

/** The texts of chunks, and their types if they have no text. */
export function shown(chunks: readonly StreamChunk[]): readonly string[] {
  return chunks.map((chunk) => (chunk.type === "TEXT_MESSAGE_CONTENT" ? chunk.delta : chunk.type));
}

/** All that a reader gets of a run, up to its end or its error. */
export async function readRun(
  stream: StreamDurability,
  offset = "-1",
  signal?: AbortSignal,
): Promise<{
  readonly texts: readonly string[];
  readonly offsets: readonly string[];
  readonly error: unknown;
}> {
  const chunks: StreamChunk[] = [];
  const offsets: string[] = [];
  let failure: unknown = null;
  try {
    for await (const entry of stream.read(offset, signal)) {
      chunks.push(entry.chunk);
      offsets.push(entry.offset);
    }
  } catch (error) {
    failure = error;
  }
  return { texts: shown(chunks), offsets, error: failure };
}
