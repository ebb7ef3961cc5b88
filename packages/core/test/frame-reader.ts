import { createParser } from "eventsource-parser";
import { encodeFrames } from "../src/wire/frame.ts";

/** One message as an EventSource client passes it on. */
export interface Frame {
  readonly data: Readonly<Record<string, unknown>>;
  readonly id: string | undefined;
  readonly event: string | undefined;
  /** The `retry:` in this message. */
  readonly retryMs: number | undefined;
}

/** A client that follows the specification: it takes an id in when it dispatches the message. */
export interface FrameReader {
  feed(bytes: Uint8Array): void;
  readonly frames: readonly Frame[];
  /** What a reconnect sends as `Last-Event-ID`. */
  lastEventId(): string | null;
  /** Lines that no frame may hold: comments, unknown fields, broken retries. */
  readonly faults: readonly string[];
}

/** Reads frames with the real parser, in any pieces. */
export function createFrameReader(): FrameReader {
  const frames: Frame[] = [];
  const faults: string[] = [];
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let retryMs: number | undefined;
  let lastId: string | null = null;
  const parser = createParser({
    onEvent({ data, id, event }) {
      frames.push({ data: JSON.parse(data) as Frame["data"], id, event, retryMs });
      retryMs = undefined;
      lastId = id ?? lastId;
    },
    onRetry: (ms) => (retryMs = ms),
    onComment: (comment) => faults.push(`comment: ${comment}`),
    onError: (error) => faults.push(error.message),
  });
  return {
    feed: (bytes) => parser.feed(decoder.decode(bytes, { stream: true })),
    frames,
    lastEventId: () => lastId,
    faults,
  };
}

/** The frames of bytes that are whole. */
export function readFrames(frames: Uint8Array | string): readonly Frame[] {
  const reader = createFrameReader();
  reader.feed(typeof frames === "string" ? encodeFrames([frames]) : frames);
  if (reader.faults.length > 0) throw new Error(reader.faults.join("; "));
  return reader.frames;
}
