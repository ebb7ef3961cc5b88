import type { EventDraft, RunEvent, RunEvents } from "@tm/run-events-core";
import type { StreamChunk } from "@tanstack/ai";
import { splitText } from "../split-text.ts";

/** The type of the event of a chunk. Its payload is the chunk, or the last part of its JSON text. */
const CHUNK = "CHUNK";
/** The type of the events before it, if the chunk is larger than a payload: each is a part of its JSON text. */
const CHUNK_PART = "CHUNK_PART";

/** The events of a chunk: one, unless it is larger than a payload. The last one has the offset of the chunk. */
function encodeChunk(chunk: StreamChunk, maxPayloadBytes: number): readonly EventDraft[] {
  const text = JSON.stringify(chunk);
  const bytes = new TextEncoder().encode(text).length;
  if (bytes <= Math.min(maxPayloadBytes, 262_144)) return [{ eventType: CHUNK, payload: chunk }];
  const parts = splitText(text, maxPayloadBytes);
  return parts.map((payload, index) => ({
    eventType: index === parts.length - 1 ? CHUNK : CHUNK_PART,
    payload,
  }));
}

/**
 * The appends of chunks, each a list of the events of each chunk. The events of one chunk are in one append, so no reader begins
 * between them.
 */
export function batchesOf(
  chunks: readonly StreamChunk[],
  { maxPayloadBytes, maxBatchEvents }: RunEvents["log"]["limits"],
): readonly (readonly EventDraft[])[][] {
  const batches: (readonly EventDraft[])[][] = [];
  let events = Infinity;
  for (const chunk of chunks) {
    const group = encodeChunk(chunk, maxPayloadBytes);
    events += group.length;
    if (events > maxBatchEvents) {
      batches.push([]);
      events = group.length;
    }
    batches.at(-1)?.push(group);
  }
  return batches;
}

/** Makes chunks of the events of a run, in order. */
export class ChunkReader {
  #parts = "";

  /** The chunk that this event completes; `null` if it completes none. */
  read({ eventType, payload }: RunEvent): StreamChunk | null {
    if (eventType === CHUNK_PART) this.#parts += String(payload);
    if (eventType !== CHUNK) return null;
    const chunk = typeof payload === "string" ? JSON.parse(this.#parts + payload) : payload;
    this.#parts = "";
    return chunk as StreamChunk;
  }
}
