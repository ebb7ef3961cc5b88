import type { Follower, FollowerReader } from "./follower.ts";
import type { Followers } from "./followers.ts";
import {
  encodeFrames,
  encodeConnected,
  encodeStatus,
  encodeStreamError,
  NO_RETRY_MS,
} from "./frame.ts";
import { RunEventsError } from "./errors.ts";
import { isTerminal } from "./lifecycle.ts";
import type { Position, Slice } from "./slice.ts";
import type { RunRecord } from "./store.ts";
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

/** The clock that all streams share. */
interface Pulse {
  /** The time as of the last tick, in whole milliseconds: a small integer, which V8 keeps in the stream itself. */
  readonly time: number;
}

/** What a stream is made of. */
export interface StreamParts {
  readonly runId: string;
  /** Opens a reader on the run, as `Followers.open` does. */
  readonly follow: (reader: FollowerReader) => ReturnType<Followers["open"]>;
  readonly times: StreamTimes;
  /** How much earlier a heartbeat may go out, so that none is late: the period of `tick`. */
  readonly tickMs: number;
  readonly pulse: Pulse;
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
  /** Takes its place among the readers of the run. @returns the run's head, as `Follower.open` does */
  open(): Promise<RunRecord>;
  /** Sends `connected`, then whatever there is. The reader has been opened. */
  start(sink: StreamSink, lastSequence: number): void;
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
  return new LiveStream(parts);
}

/**
 * A class, and its own reader, so that a delivery looks at one object and not at a dozen: with 1,000 readers each is a miss
 * of the cache. What it looks at comes first. With the clock read once a tick that is 1 µs of 9 a delivery
 * (`pnpm bench fanout`).
 */
class LiveStream implements Stream, FollowerReader {
  position: Position | null = null;
  private sink: StreamSink | null = null;
  private follower: Follower | null = null;
  private readonly pulse: Pulse;
  private state: "opening" | "live" | "ending" | "closed" = "opening";
  /** The transport holds all that it should. */
  private full = false;
  private writing = false;
  private fetching = false;
  /** The tick before the last write. */
  private frameAt = 0;
  private head = 0;

  private readonly parts: StreamParts;
  private readonly openedAt: number;
  private end: StreamEnd = "disconnected";
  private checking = false;
  private checkedAt = 0;
  private fullAt = 0;
  private endAt = 0;

  constructor(parts: StreamParts) {
    this.parts = parts;
    this.pulse = parts.pulse;
    this.openedAt = parts.now();
  }

  open(): Promise<RunRecord> {
    const { follower, opened } = this.parts.follow(this);
    this.follower = follower;
    return opened;
  }

  start(sink: StreamSink, lastSequence: number): void {
    if (this.state !== "opening" || this.position === null) return;
    const { runId, times, now, random } = this.parts;
    this.state = "live";
    this.sink = sink;
    this.head = lastSequence;
    this.checkedAt = now();
    this.endAt = this.checkedAt + times.maxAgeMs * (0.8 + 0.2 * random());
    const { sequence, runStatus, phase } = this.position;
    // Only `run_finished` may say that the run has ended.
    const told = { runStatus: isTerminal(runStatus) ? ("running" as const) : runStatus, phase };
    const retryMs = 2_000 + Math.floor(random() * 3_001);
    this.writeFrame(
      encodeConnected({ runId, since: sequence, state: told, lastSequence, retryMs }),
    );
    this.wake();
  }

  /** Sends what there is, if the transport takes it. */
  wake(): void {
    while (this.state === "live" && !this.full && !this.fetching) {
      let next: Slice | Promise<Slice> | null;
      try {
        next = this.follower?.next(this) ?? null;
      } catch (error) {
        this.failWith(error);
        return;
      }
      if (next === null) return;
      if (next instanceof Promise) this.fetch(next);
      else this.send(next);
    }
  }

  private fetch(page: Promise<Slice>): void {
    this.fetching = true;
    page.then(
      (slice) => {
        this.fetching = false;
        // A heartbeat may have filled the transport meanwhile: the page is then read again when that has drained.
        if (this.state !== "live" || this.full) return;
        this.send(slice);
        this.wake();
      },
      (error: unknown) => {
        this.fetching = false;
        this.failWith(error);
      },
    );
  }

  private send(slice: Slice): void {
    this.position = slice.to;
    this.head = Math.max(this.head, slice.to.sequence);
    this.write(slice.bytes());
    if (slice.finished) this.finish("run_finished");
  }

  private write(bytes: Uint8Array): void {
    this.frameAt = this.pulse.time;
    // Full until told otherwise, which the transport may do from within the write.
    this.full = true;
    this.writing = true;
    if (this.sink?.write(bytes) !== false) this.full = false;
    else if (this.full) this.fullAt = this.parts.now();
    this.writing = false;
  }

  private writeFrame(frame: string): void {
    this.write(encodeFrames([frame]));
  }

  drained(): void {
    this.full = false;
    // Whoever is writing goes on by itself.
    if (!this.writing) this.wake();
  }

  tick(): void {
    const { times, now } = this.parts;
    const time = now();
    switch (this.state) {
      case "opening":
        // Nobody has come to read, or the store does not answer: the place is given back, and whoever comes late is told.
        if (time - this.openedAt >= times.stallMs) {
          this.fail(this.position === null ? "store_unavailable" : "slow_consumer");
        }
        return;
      case "live":
        this.tickLive(time);
        return;
      case "ending":
        if (time < this.endAt) return;
        this.sink?.destroy();
        this.closed();
        return;
      case "closed":
        return;
    }
  }

  private tickLive(time: number): void {
    const { times, tickMs } = this.parts;
    if (this.full && time - this.fullAt >= times.stallMs) this.fail("slow_consumer");
    else if (time >= this.endAt) this.fail("max_age");
    else {
      const due = time - times.heartbeatMs + tickMs;
      if (!this.checking && this.checkedAt <= due) this.check();
      if (!this.full && this.frameAt <= due && this.position !== null) {
        this.writeFrame(encodeStatus(this.position, Math.max(this.head, this.position.sequence)));
      }
    }
  }

  private check(): void {
    this.checking = true;
    this.checkedAt = this.parts.now();
    this.parts.authorize().then(
      (refusal) => {
        this.checking = false;
        if (refusal !== null) this.fail(refusal);
      },
      () => {
        this.checking = false;
        // Whoever knows the sessions did not answer: not the reader's fault, so it may come back.
        this.fail("store_unavailable");
      },
    );
  }

  fail(code: StreamErrorCode): void {
    if (this.state === "opening") this.closed(code);
    if (this.state !== "live") return;
    const { retryable, message } = STREAM_ERRORS[code];
    const details = code === "cursor_ahead" ? { lastSequence: this.head } : {};
    this.writeFrame(
      encodeStreamError(
        { code, message, retryable, ...details },
        retryAfter(code, this.parts.random),
      ),
    );
    this.finish(code);
  }

  private failWith(error: unknown): void {
    // A store that has lost its tail says where the log ends now.
    if (error instanceof RunEventsError) this.head = error.details.lastSequence ?? this.head;
    this.fail(streamErrorCode(error));
  }

  private finish(how: StreamEnd): void {
    if (this.state !== "live") return;
    this.state = "ending";
    this.end = how;
    this.endAt = this.parts.now() + CLOSE_MS;
    this.follower?.leave(this);
    this.sink?.end();
  }

  closed(how: StreamEnd = this.end): void {
    if (this.state === "closed") return;
    this.state = "closed";
    this.follower?.leave(this);
    this.parts.onClosed(how);
  }
}
