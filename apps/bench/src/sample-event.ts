import type { EventDraft } from "@tm/run-events-core";

/** The bytes of an event's JSON besides the text of its payload, give or take the digits of its sequence. */
const ENVELOPE_BYTES = 100;

const TEXT = "The agent read the file, found the cause and wrote the change down. ".repeat(16);

/** An event like those of a run, whose JSON on the wire is about this long. */
export function sampleEvent(bytes: number): EventDraft {
  return { eventType: "MESSAGE_ADDED", payload: { text: TEXT.slice(0, bytes - ENVELOPE_BYTES) } };
}

/** The headers of a live stream, as ours has them. */
export const STREAM_HEADERS: Readonly<Record<string, string>> = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-cache, no-store, no-transform",
  "x-accel-buffering": "no",
  "x-content-type-options": "nosniff",
};

/** A frame, as ours has them. @param data JSON text */
export function encodeFrame(data: string, sequence: number): string {
  return `data: ${data}\nid: ${sequence}\n\n`;
}

/** The data of an event's frame, encoded from an object. */
export function encodeEvent(event: EventDraft, sequence: number): string {
  const createdAt = new Date().toISOString();
  return JSON.stringify({ type: "run_event", event: { sequence, ...event, createdAt } });
}
