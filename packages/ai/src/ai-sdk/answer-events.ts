import type { EventDraft, Merges, RunEvent } from "@tm/run-events-core";
import type { UIMessageChunk } from "ai";
import { PartJoiner } from "../event-parts.ts";
import { failureText } from "../shown-failure.ts";
import { joinDeltas } from "./join-deltas.ts";

/** The type of the event of the message that is answered. Its payload is the message. */
export const MESSAGE = "UI_MESSAGE";
/** The type of the events of the answer. The payload is an array of chunks. */
export const CHUNKS = "UI_CHUNKS";
/** What the user reads of an answer whose process died or shut down, or whose model was stopped by the program. */
export const CUT_SHORT_TEXT = "The answer was cut short.";

/** Makes one event of several, so that an answer has few. */
export const MERGE: Merges = {
  [CHUNKS]: (earlier: readonly UIMessageChunk[], later: readonly UIMessageChunk[]) =>
    joinDeltas([...earlier, ...later]),
};

/** Makes the chunks of an answer's events, on a server as in a page. */
export class ChunkReader {
  readonly #joiner = new PartJoiner();

  /** @param event the next one of the run. The end of an answer that was cut short is a chunk, too */
  read(event: RunEvent): readonly UIMessageChunk[] {
    const whole = this.#joiner.join(event);
    if (whole === null) return [];
    const end = endOf(whole);
    return end === null ? chunksOf(whole) : [end];
  }
}

/** The chunks of an event. */
export function chunksOf({ eventType, payload }: EventDraft): readonly UIMessageChunk[] {
  return eventType === CHUNKS ? (payload as readonly UIMessageChunk[]) : [];
}

/** The chunk that a reader gets in place of the end of an answer that was cut short; `null` for any other event. */
export function endOf({ eventType, payload }: EventDraft): UIMessageChunk | null {
  if (eventType === "RUN_CANCELLED") return { type: "abort" };
  if (eventType !== "RUN_FAILED") return null;
  return { type: "error", errorText: failureText(payload, CUT_SHORT_TEXT) };
}
