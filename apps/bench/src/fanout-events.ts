import { encodeEvent } from "./bare-stream.ts";
import { FANOUT_EVENT_BYTES } from "./fanout-server.ts";
import { sampleEvent } from "./sample-event.ts";

/** An event as its readers have it. */
export interface FanoutEvent {
  readonly sequence: number;
  /** What ours has in `data`. */
  readonly json: string;
}

const { eventType, payload } = sampleEvent(FANOUT_EVENT_BYTES);
const payloadJson = JSON.stringify(payload);
let lastSequence = 0;

function createEvent(sequence: number): FanoutEvent {
  const event = { sequence, eventType, payload: payloadJson, createdAtMs: Date.now() };
  return { sequence, json: encodeEvent(event) };
}

/** What every reader of a peer is sent first: an event of sequence 0, as ours has `connected`. */
export const OPENING: FanoutEvent = createEvent(0);

/** The next events of the run: each is new, as one of ours is. */
export function nextEvents(count: number): readonly FanoutEvent[] {
  return Array.from({ length: count }, () => createEvent(++lastSequence));
}

/** An event's frame, as ours has it. */
export function frameOf({ sequence, json }: FanoutEvent): string {
  return `data: ${json}\nid: ${sequence}\n\n`;
}

/** The sequence of the last event. */
export function lastOf(events: readonly FanoutEvent[]): number {
  return events.at(-1)?.sequence ?? 0;
}
