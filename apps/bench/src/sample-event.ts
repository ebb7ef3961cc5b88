import type { EventDraft } from "@tm/run-events-core";

/** What an event's JSON has besides the text of its payload, in bytes, give or take the digits of its sequence. */
const ENVELOPE_BYTES = 100;

const TEXT = "The agent read the file, found the cause and wrote the change down. ".repeat(16);

/** An event like those of a run, whose JSON on the wire is about this long. */
export function sampleEvent(bytes: number): EventDraft {
  return { eventType: "MESSAGE_ADDED", payload: { text: TEXT.slice(0, bytes - ENVELOPE_BYTES) } };
}
