import type { EventDraft, Merges, RunEvent } from "@tm/run-events-core";
import { isLonger } from "@tm/run-events-core/store";
import { checkDepth, sealDraft } from "@tm/run-events-core/wire";
import type { UIMessageChunk } from "ai";
import { splitText } from "../split-text.ts";
import { joinDeltas } from "./join-deltas.ts";

/** The type of the event of the message that is answered. Its payload is the message. */
export const MESSAGE = "UI_MESSAGE";
/** The type of the events of the answer. The payload is an array of chunks. */
export const CHUNKS = "UI_CHUNKS";
/** The type of the events of what is larger than a payload: each has a part of its JSON text. */
const PART = "UI_PART";

/** What an event of `PART` has besides its text, in bytes, and more. */
const PART_BYTES = 64;

/** What the user reads of a failure that has no text. The AI SDK has the same text. */
const FAILED_TEXT = "An error occurred.";
/** What the user reads of an answer whose process died or shut down, or whose model was stopped by the program. */
export const CUT_SHORT_TEXT = "The answer was cut short.";

/** Makes one event of several, so that an answer has few. */
export const MERGE: Merges = {
  [CHUNKS]: (earlier: readonly UIMessageChunk[], later: readonly UIMessageChunk[]) =>
    joinDeltas([...earlier, ...later]),
};

/**
 * The events of a value: one, unless it is larger than a payload.
 * @throws RunEventsError `invalid_event` for what is no JSON, or is nested too deep: the parts alone would not show that
 */
export function encodeEvents(
  eventType: string,
  value: unknown,
  maxPayloadBytes: number,
): readonly EventDraft[] {
  const whole = sealDraft({ eventType, payload: value });
  checkDepth(whole);
  if (!isLonger(whole.payload.text, maxPayloadBytes)) return [whole];
  const texts = splitText(whole.payload.text, maxPayloadBytes - PART_BYTES);
  return texts.map((text, index) => ({
    eventType: PART,
    payload: { eventType, text, isLast: index === texts.length - 1 },
  }));
}

/** Joins the parts of what is larger than a payload. */
export class PartJoiner {
  #text = "";

  /** The event as it was before it was split; `null` for a part that is not the last. */
  join(event: RunEvent): EventDraft | null {
    if (event.eventType !== PART) return event;
    const { eventType, text, isLast } = event.payload as {
      readonly eventType: string;
      readonly text: string;
      readonly isLast: boolean;
    };
    this.#text += text;
    if (!isLast) return null;
    const payload: unknown = JSON.parse(this.#text);
    this.#text = "";
    return { eventType, payload };
  }
}

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
  const { reason, message } = (payload ?? {}) as {
    readonly reason?: unknown;
    readonly message?: unknown;
  };
  const text = reason === "error" ? FAILED_TEXT : CUT_SHORT_TEXT;
  return { type: "error", errorText: typeof message === "string" ? message : text };
}
