import type { Follower, FollowerReader } from "./follower.ts";
import {
  encodeFrames,
  encodeConnected,
  encodeStatus,
  encodeStreamError,
  NO_RETRY_MS,
} from "./frame.ts";
import { RunEventsError } from "./errors.ts";
import { isTerminal } from "./lifecycle.ts";
import type { Slice } from "./slice.ts";
import { STREAM_ERRORS, streamErrorCode, type StreamErrorCode } from "./stream-error.ts";

/** How long an ended stream may take to hand its last bytes over before it is cut, in milliseconds. */
const CLOSE_MS = 5_000;

/** The transport under a stream, such as an HTTP response. */
export interface StreamSink {
  /**
   * Hands bytes over; must not throw. `false` once it holds all that it should: the stream then writes nothing until `drained`.
   * @see W25
   */
  write(bytes: Uint8Array): boolean;
  /** Ends the answer behind what was written. */
  end(): void;
  /** Cuts the connection. */
  destroy(): void;
}

/** The times of a stream, in milliseconds. */
export interface StreamTimes {
  readonly heartbeatMs: number;
  readonly maxAgeMs: number;
  readonly stallMs: number;
}

/** How a stream came to its end, for metrics. */
export type StreamEnd = StreamErrorCode | "run_finished" | "disconnected";

/** What a stream is made of. */
export interface StreamParts {
  readonly runId: string;
  readonly reader: FollowerReader;
  readonly follower: Follower;
  readonly times: StreamTimes;
  /** How much earlier a heartbeat may go out, so that none is late: the period of `tick`. */
  readonly tickMs: number;
  readonly now: () => number;
  /** 0 to 1, for the jitter. */
  readonly random: () => number;
  /** Why the reader may no longer read, `null` if it may. Asked again every heartbeat. @see W26 */
  readonly authorize: () => Promise<StreamErrorCode | null>;
  /** Called once, when the transport has let go. */
  readonly onClosed: (end: StreamEnd) => void;
}

/** One live stream: what was sent decides what comes next; transport and timer only say "look". */
export interface Stream {
  /** Sends `connected`, then whatever there is. The reader has been opened. */
  start(sink: StreamSink, lastSequence: number): void;
  /** Sends what there is, if the transport takes it. */
  pump(): void;
  /** The transport takes bytes again. */
  drained(): void;
  /** The transport is gone, or never comes: then `how` says why. Idempotent. */
  closed(how?: StreamEnd): void;
  /** Looks at the clock. */
  tick(): void;
  /** Ends the stream with an `error` frame; one that has not started is closed. */
  fail(code: StreamErrorCode): void;
}

/** How long a reader waits before it comes back after this error, in milliseconds. @see W22 */
export function retryAfter(code: StreamErrorCode, random: () => number): number {
  return STREAM_ERRORS[code].retryable ? 500 + Math.floor(random() * 14_501) : NO_RETRY_MS;
}

/**
 * The state machine of one stream: opening, live, ending, closed. It holds no timer and no queue. A page of the log may be
 * on its way while bells ring, the transport drains or closes and the clock ticks; whatever comes first, its result is
 * used only if the stream is still live then.
 */
export function createStream(parts: StreamParts): Stream {
  const { reader, follower, times, now, random } = parts;
  let state: "opening" | "live" | "ending" | "closed" = "opening";
  let sink: StreamSink | null = null;
  let end: StreamEnd = "disconnected";
  let head = 0;
  let fetching = false;
  let checking = false;
  const openedAt = now();
  let blockedAt: number | null = null;
  let writing = false;
  let frameAt = 0;
  let checkedAt = 0;
  let endAt = 0;

  function write(bytes: Uint8Array): void {
    frameAt = now();
    // Full until told otherwise, which the transport may do from within the write.
    blockedAt = frameAt;
    writing = true;
    if (sink?.write(bytes) !== false) blockedAt = null;
    writing = false;
  }

  function writeFrame(frame: string): void {
    write(encodeFrames([frame]));
  }

  function pump(): void {
    while (state === "live" && blockedAt === null && !fetching) {
      let next: Slice | Promise<Slice> | null;
      try {
        next = follower.next(reader);
      } catch (error) {
        failWith(error);
        return;
      }
      if (next === null) return;
      if (next instanceof Promise) fetch(next);
      else send(next);
    }
  }

  function fetch(page: Promise<Slice>): void {
    fetching = true;
    page.then(
      (slice) => {
        fetching = false;
        // A heartbeat may have filled the transport meanwhile: the page is then read again when that has drained.
        if (state !== "live" || blockedAt !== null) return;
        send(slice);
        pump();
      },
      (error: unknown) => {
        fetching = false;
        failWith(error);
      },
    );
  }

  function send(slice: Slice): void {
    reader.position = slice.to;
    head = Math.max(head, slice.to.sequence);
    write(slice.bytes());
    if (slice.finished) finish("run_finished");
  }

  function fail(code: StreamErrorCode): void {
    if (state === "opening") closed(code);
    if (state !== "live") return;
    const { retryable, message } = STREAM_ERRORS[code];
    const details = code === "cursor_ahead" ? { lastSequence: head } : {};
    writeFrame(
      encodeStreamError({ code, message, retryable, ...details }, retryAfter(code, random)),
    );
    finish(code);
  }

  function failWith(error: unknown): void {
    // A store that has lost its tail says where the log ends now.
    if (error instanceof RunEventsError) head = error.details.lastSequence ?? head;
    fail(streamErrorCode(error));
  }

  function finish(how: StreamEnd): void {
    if (state !== "live") return;
    state = "ending";
    end = how;
    endAt = now() + CLOSE_MS;
    follower.leave(reader);
    sink?.end();
  }

  function closed(how: StreamEnd = end): void {
    if (state === "closed") return;
    state = "closed";
    follower.leave(reader);
    parts.onClosed(how);
  }

  function check(): void {
    checking = true;
    checkedAt = now();
    parts.authorize().then(
      (refusal) => {
        checking = false;
        if (refusal !== null) fail(refusal);
      },
      () => {
        checking = false;
        // Whoever knows the sessions did not answer: not the reader's fault, so it may come back.
        fail("store_unavailable");
      },
    );
  }

  function tick(): void {
    const time = now();
    switch (state) {
      case "opening":
        // Nobody has come to read, or the store does not answer: the place is given back, and whoever comes late is told.
        if (time - openedAt >= times.stallMs) {
          fail(reader.position === null ? "store_unavailable" : "slow_consumer");
        }
        return;
      case "live":
        tickLive(time);
        return;
      case "ending":
        if (time < endAt) return;
        sink?.destroy();
        closed();
        return;
      case "closed":
        return;
    }
  }

  function tickLive(time: number): void {
    if (blockedAt !== null && time - blockedAt >= times.stallMs) fail("slow_consumer");
    else if (time >= endAt) fail("max_age");
    else {
      const due = time - times.heartbeatMs + parts.tickMs;
      if (!checking && checkedAt <= due) check();
      if (blockedAt === null && frameAt <= due && reader.position !== null) {
        writeFrame(encodeStatus(reader.position, Math.max(head, reader.position.sequence)));
      }
    }
  }

  return {
    start(transport, lastSequence) {
      if (state !== "opening" || reader.position === null) return;
      state = "live";
      sink = transport;
      head = lastSequence;
      checkedAt = now();
      endAt = checkedAt + times.maxAgeMs * (0.8 + 0.2 * random());
      const { sequence, runStatus, phase } = reader.position;
      // Only `run_finished` may say that the run has ended.
      const told = { runStatus: isTerminal(runStatus) ? ("running" as const) : runStatus, phase };
      const retryMs = 2_000 + Math.floor(random() * 3_001);
      writeFrame(
        encodeConnected({
          runId: parts.runId,
          since: sequence,
          state: told,
          lastSequence,
          retryMs,
        }),
      );
      pump();
    },
    pump,
    drained() {
      blockedAt = null;
      // Whoever is writing goes on by itself.
      if (!writing) pump();
    },
    closed,
    tick,
    fail,
  };
}
