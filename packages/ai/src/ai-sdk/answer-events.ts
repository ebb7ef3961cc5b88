import type { EventDraft, WorkOptions } from "@tm/run-events-core";
import type { UIMessage, UIMessageChunk } from "ai";
import type { RESERVED_TYPES } from "@tm/run-events-core/wire";
import { failureText } from "../produce/shown-failure.ts";
import { joinDeltas } from "./join-deltas.ts";

/** The type of the event of the message that is answered. Its payload is the message. */
export const MESSAGE: (typeof RESERVED_TYPES)[number] = "UI_MESSAGE";
/** The type of the events of the answer. The payload is an array of chunks. */
export const CHUNKS: (typeof RESERVED_TYPES)[number] = "UI_CHUNKS";
/** The text that the user reads after an answer whose process died or shut down, or whose model was stopped by the program. */
export const CUT_SHORT_TEXT = "The answer was cut short.";

/** Makes one event of several, so that an answer has few. */
export const MERGE: NonNullable<WorkOptions["merge"]> = {
  [CHUNKS]: (pieces: readonly (readonly UIMessageChunk[])[]) => joinDeltas(pieces.flat()),
};

/** The chunks of an event, on a server as in a page. The end of an answer that was cut short is a chunk, too. */
export function readChunks(event: EventDraft): readonly UIMessageChunk[] {
  const end = endOf(event);
  return end === null ? chunksOf(event) : [end];
}

/** The chunks of an event. What is not a chunk is left out, since another program has written it. */
export function chunksOf({ eventType, payload }: EventDraft): readonly UIMessageChunk[] {
  return eventType === CHUNKS ? [payload as UIMessageChunk].flat().filter(hasType) : [];
}

/** The message in an event; `null` for any other event, and for a malformed message that another program has written. */
export function messageOf<Message extends UIMessage>({
  eventType,
  payload,
}: EventDraft): Message | null {
  if (eventType !== MESSAGE) return null;
  const { id, role, parts } = Object(payload) as Partial<Message>;
  const isWhole = typeof id === "string" && Array.isArray(parts) && parts.every(hasType);
  return isWhole && (role === "user" || role === "assistant") ? (payload as Message) : null;
}

/** Whether the value may be a chunk, or a part of a message. */
export function hasType(value: unknown): boolean {
  return typeof (value as { readonly type?: unknown } | null)?.type === "string";
}

/** The chunk that a reader gets in place of the end of an answer that was cut short; `null` for any other event. */
export function endOf({ eventType, payload }: EventDraft): UIMessageChunk | null {
  if (eventType === "RUN_CANCELLED") return { type: "abort" };
  if (eventType !== "RUN_FAILED") return null;
  return { type: "error", errorText: failureText(payload, CUT_SHORT_TEXT) };
}
