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

/**
 * Reads bytes of whole frames with the real parser.
 * @throws for lines that no frame may hold: comments, unknown fields, broken retries
 */
export function readFrames(frames: Uint8Array | string): readonly Frame[] {
  const read: Frame[] = [];
  const faults: string[] = [];
  let retryMs: number | undefined;
  const parser = createParser({
    onEvent({ data, id, event }) {
      read.push({ data: JSON.parse(data) as Frame["data"], id, event, retryMs });
      retryMs = undefined;
    },
    onRetry: (ms) => (retryMs = ms),
    onComment: (comment) => faults.push(`comment: ${comment}`),
    onError: (error) => faults.push(error.message),
  });
  const bytes = typeof frames === "string" ? encodeFrames([frames]) : frames;
  parser.feed(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  if (faults.length > 0) throw new Error(faults.join("; "));
  return read;
}
