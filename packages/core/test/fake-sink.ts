import type { OpenStream, StreamSink } from "../src/stream/open-stream.ts";
import { type Frame, readFrames } from "./frame-reader.ts";

/** A frame, and when it was written. */
export interface TimedFrame extends Frame {
  readonly atMs: number;
}

/** A transport that a test fills, drains and cuts. */
export interface FakeSink extends StreamSink {
  readonly frames: readonly TimedFrame[];
  /** All bytes, in order. */
  bytes(): Uint8Array;
  /** The mistakes of a stream: a write after its end or while the transport is full, a second end, a use of a closed transport. */
  readonly faults: readonly string[];
  readonly state: "open" | "ended" | "destroyed" | "gone";
  /** Since when it takes no bytes; `null` while it takes them. */
  readonly fullSinceMs: number | null;
  /** When it last took a frame or began to take bytes again. */
  readonly quietSinceMs: number;
  /** Resolves at the next write. */
  next(): Promise<void>;
  /** Resolves with the first frame of this type. */
  first(type: string): Promise<TimedFrame>;
  /** Takes bytes again. */
  drain(): void;
  /** The client disconnects. */
  cut(): void;
}

/** Whether a frame ends a stream with an error. One of a run among many, or of a feed, does not. */
function isFailure(frame: Frame | undefined): boolean {
  return frame?.data["type"] === "error" && !("runId" in frame.data || "feed" in frame.data);
}

/** Opens a transport. `takes` answers each write. */
export function createFakeSink(now: () => number, takes: () => boolean = () => true): FakeSink {
  const frames: TimedFrame[] = [];
  const faults: string[] = [];
  const parts: Uint8Array[] = [];
  let state: FakeSink["state"] = "open";
  let fullSinceMs: number | null = null;
  let quietSinceMs = now();
  const onFrame: (() => void)[] = [];

  function next(): Promise<void> {
    return new Promise((resolve) => onFrame.push(resolve));
  }

  function expectOpen(what: string): void {
    if (state !== "open") faults.push(`${what} when it was ${state}`);
  }

  return {
    frames,
    faults,
    bytes: () => Buffer.concat(parts),
    get state() {
      return state;
    },
    get fullSinceMs() {
      return fullSinceMs;
    },
    get quietSinceMs() {
      return quietSinceMs;
    },
    write(bytes) {
      expectOpen("a write");
      const written = readFrames(bytes);
      const last = written.length === 1 && isFailure(written[0]);
      if (fullSinceMs !== null && !last) faults.push("a write when it was full");
      parts.push(bytes);
      for (const frame of written) frames.push({ ...frame, atMs: now() });
      quietSinceMs = now();
      for (const onOne of onFrame.splice(0)) onOne();
      if (takes()) return true;
      fullSinceMs ??= now();
      return false;
    },
    end() {
      expectOpen("an end");
      state = "ended";
    },
    destroy() {
      if (state === "gone" || state === "destroyed") faults.push(`destroyed when it was ${state}`);
      state = "destroyed";
    },
    next,
    async first(type) {
      for (;;) {
        const frame = frames.find(({ data }) => data["type"] === type);
        if (frame !== undefined) return frame;
        await next();
      }
    },
    drain() {
      // After the last frame no check is made.
      if (state !== "open" || isFailure(frames.at(-1))) return;
      fullSinceMs = null;
      quietSinceMs = now();
    },
    cut() {
      state = "gone";
    },
  };
}

/** The transport, which at times drains before the write that filled it has returned. */
export function drainingEarly(
  sink: FakeSink,
  stream: Pick<OpenStream, "drained">,
  takes: () => boolean,
): StreamSink {
  return {
    ...sink,
    write(bytes) {
      const more = sink.write(bytes);
      if (!more && takes()) {
        sink.drain();
        stream.drained();
      }
      return more;
    },
  };
}
