import type { RunEvent, RunEvents } from "@tm/run-events-core";
import type { StreamChunk } from "@tanstack/ai";
import type { sealDraft } from "@tm/run-events-core/wire";
import { batchesOf } from "../produce/batches.ts";
import { encodeEvents } from "../runs/event-parts.ts";

/** The type of the event of a chunk. Its payload is the chunk. */
const CHUNK = "CHUNK";

/** The appends of chunks, in order. The last event of a chunk has its offset. */
export function appendsOf(
  chunks: readonly StreamChunk[],
  limits: RunEvents["log"]["limits"],
): readonly (readonly ReturnType<typeof sealDraft>[])[] {
  const events = chunks.flatMap((chunk) => encodeEvents(CHUNK, chunk, limits.maxPayloadBytes));
  return batchesOf(events, limits);
}

/** The chunk of an event; `null` if it has none, as when another program has written it. */
export function chunkOf({ eventType, payload }: RunEvent): StreamChunk | null {
  return eventType === CHUNK && typeof payload === "object"
    ? (payload as StreamChunk | null)
    : null;
}
