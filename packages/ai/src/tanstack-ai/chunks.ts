import type { EventDraft, RunEvent, RunEvents } from "@tm/run-events-core";
import type { StreamChunk } from "@tanstack/ai";
import { splitText } from "../split-text.ts";

/** The type of the event of a chunk. Its payload is the chunk, or the last part of its JSON text. */
const CHUNK = "CHUNK";
/**
 * The types of the events before it, if the chunk is larger than a payload: the first part of its JSON text, and others. So a reader that
 * begins between them leaves the chunk out, and parts whose last one was never appended are no part of a later chunk.
 */
const CHUNK_START = "CHUNK_START";
const CHUNK_PART = "CHUNK_PART";
/** About the most UTF-16 units of one append: a store takes a large chunk in several. */
const MOST_UNITS = 1_048_576;

/** An event, and about how long its payload is. */
interface SizedEvent {
  readonly event: EventDraft;
  readonly units: number;
}

/** The events of a chunk: one, unless it is larger than a payload. The last one has the offset of the chunk. */
function encodeChunk(chunk: StreamChunk, maxPayloadBytes: number): readonly SizedEvent[] {
  const text = JSON.stringify(chunk);
  const bytes = new TextEncoder().encode(text).length;
  if (bytes <= Math.min(maxPayloadBytes, 262_144))
    return [{ event: { eventType: CHUNK, payload: chunk }, units: text.length }];
  const parts = splitText(text, maxPayloadBytes);
  return parts.map((payload, index) => {
    const isLast = index === parts.length - 1;
    const eventType = isLast ? CHUNK : index === 0 ? CHUNK_START : CHUNK_PART;
    return { event: { eventType, payload }, units: payload.length };
  });
}

/** The appends of chunks, in order: each holds no more than one append takes. */
export function batchesOf(
  chunks: readonly StreamChunk[],
  { maxPayloadBytes, maxBatchEvents }: RunEvents["log"]["limits"],
): readonly (readonly EventDraft[])[] {
  const batches: EventDraft[][] = [];
  let batch: EventDraft[] = [];
  let left = 0;
  for (const chunk of chunks) {
    for (const { event, units } of encodeChunk(chunk, maxPayloadBytes)) {
      if (batch.length >= maxBatchEvents || left < units || batches.length === 0) {
        batches.push((batch = []));
        left = MOST_UNITS;
      }
      batch.push(event);
      left -= units;
    }
  }
  return batches;
}

/** Whether the event is the last one of a chunk. */
export function endsChunk({ eventType }: EventDraft): boolean {
  return eventType === CHUNK;
}

/** Makes chunks of the events of a run, in order. */
export class ChunkReader {
  /** The parts so far; `null` outside of a chunk that has several. */
  #parts: string | null = null;

  /** The chunk that this event completes; `null` if it completes none. */
  read({ eventType, payload }: RunEvent): StreamChunk | null {
    if (eventType === CHUNK_START) this.#parts = String(payload);
    if (eventType === CHUNK_PART && this.#parts !== null) this.#parts += String(payload);
    if (eventType !== CHUNK) return null;
    const parts = this.#parts;
    this.#parts = null;
    if (typeof payload !== "string") return payload as StreamChunk;
    return parts === null ? null : (JSON.parse(parts + payload) as StreamChunk);
  }
}
