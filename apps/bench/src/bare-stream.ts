/** The headers of a live stream, as ours has them. */
export const STREAM_HEADERS: Readonly<Record<string, string>> = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-cache, no-store, no-transform",
  "x-accel-buffering": "no",
  "x-content-type-options": "nosniff",
};

/** The first frame of a stream from this sequence on. */
export function encodeConnected(sequence: number): string {
  return `data: {"type":"connected"}\nid: ${sequence}\n\n`;
}

/** An event on its way to a reader. */
export interface BareEvent {
  readonly sequence: number;
  readonly eventType: string;
  /** JSON text. */
  readonly payload: string;
  readonly createdAtMs: number;
}

/** The data of an event's frame, as ours has it. */
export function encodeEvent({ sequence, eventType, payload, createdAtMs }: BareEvent): string {
  const createdAt = new Date(createdAtMs).toISOString();
  return `{"type":"run_event","event":{"sequence":${sequence},"eventType":"${eventType}","payload":${payload},"createdAt":"${createdAt}"}}`;
}

/** The frame of an event, as ours has it. */
export function encodeFrame(event: BareEvent): string {
  return `data: ${encodeEvent(event)}\nid: ${event.sequence}\n\n`;
}
