import { type Headers, NO_SNIFF } from "./exchange.ts";

/**
 * The headers of a live stream. `no-transform` keeps compressors away, and `X-Accel-Buffering` keeps nginx from buffering.
 * @see clause W21 in `WIRE.md`
 */
export const STREAM_HEADERS: Headers = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-cache, no-store, no-transform",
  "x-accel-buffering": "no",
  ...NO_SNIFF,
};
