import { encodeFrames, encodeStreamError } from "./frame.ts";
import { RunEventsError } from "./errors.ts";
import type { RunLog } from "./run-log.ts";
import {
  createStream,
  retryAfter,
  type Stream,
  type StreamEnd,
  type StreamSink,
  type StreamTimes,
} from "./stream.ts";
import { STREAM_ERRORS, streamErrorCode, type StreamErrorCode } from "./stream-error.ts";

/** Settings of `createStreams`, in milliseconds and streams. */
export interface StreamsOptions extends Partial<StreamTimes> {
  /** Default 20,000. @see W28 */
  readonly maxStreams?: number;
  /** Default 32. @see W28 */
  readonly maxStreamsPerUser?: number;
  /** 0 to 1, for jitter. Default `Math.random`. */
  readonly random?: () => number;
}

/** Who opens a stream, and where. */
export interface StreamRequest {
  readonly runId: string;
  readonly ownerId: string;
  readonly since: number;
  /** @see StreamParts.authorize */
  readonly authorize: () => Promise<StreamErrorCode | null>;
}

/** A stream that is being opened for a client. */
export interface OpenStream {
  /**
   * Resolves when `start` may be called: with a stream, or with an error to send instead.
   * @throws RunEventsError `not_found`: nothing may be sent.
   */
  readonly ready: Promise<void>;
  /** Sends everything through the transport, from the first frame to the end. */
  start(sink: StreamSink): void;
  drained(): void;
  /** The client has gone, or nothing is to be sent. At any time, idempotent. */
  closed(): void;
}

/** Counts since the start. */
export interface StreamStats {
  readonly open: number;
  readonly opened: number;
  /** By the way they ended. */
  readonly ended: Readonly<Partial<Record<StreamEnd, number>>>;
}

/** The live streams of one process: their limits, their clock and their end. */
export interface Streams {
  open(request: StreamRequest): OpenStream;
  /** A stream that is one `error` frame: whatever is worth a retry must not be answered otherwise. @see W24 */
  refuse(code: StreamErrorCode): OpenStream;
  /**
   * Refuses new streams and ends those that are open, spread over the window. Resolves when the last transport has let go.
   * @see W27
   */
  drain(windowMs: number): Promise<void>;
  stats(): StreamStats;
}

/** Keeps the live streams over a log. One timer serves them all, while there are any. */
export function createStreams(log: RunLog, options: StreamsOptions = {}): Streams {
  const {
    heartbeatMs = 15_000,
    maxAgeMs = 900_000,
    stallMs = 30_000,
    random = Math.random,
  } = options;
  const { maxStreams = 20_000, maxStreamsPerUser = 32 } = options;
  const { clock } = log;
  const times: StreamTimes = { heartbeatMs, maxAgeMs, stallMs };
  const tickMs = Math.max(5, Math.min(500, heartbeatMs / 10, maxAgeMs / 10, stallMs / 10));
  /** Each stream with the time at which a drain ends it. */
  const streams = new Map<Stream, number>();
  const perUser = new Map<string, number>();
  const pulse = { time: 0 };
  const ended: Partial<Record<StreamEnd, number>> = {};
  let opened = 0;
  let stopTicking: (() => void) | null = null;
  let draining = false;
  const onDrained: (() => void)[] = [];

  function tickAll(): void {
    const time = clock.now();
    pulse.time = Math.floor(time);
    for (const [stream, drainAt] of streams) {
      if (time >= drainAt) stream.fail("draining");
      stream.tick();
    }
  }

  function add(stream: Stream, ownerId: string): void {
    streams.set(stream, Number.POSITIVE_INFINITY);
    perUser.set(ownerId, (perUser.get(ownerId) ?? 0) + 1);
    opened += 1;
    if (stopTicking !== null) return;
    pulse.time = Math.floor(clock.now());
    stopTicking = clock.every(tickMs, tickAll);
  }

  function count(end: StreamEnd): void {
    ended[end] = (ended[end] ?? 0) + 1;
  }

  function remove(stream: Stream, ownerId: string, end: StreamEnd): void {
    streams.delete(stream);
    count(end);
    const left = (perUser.get(ownerId) ?? 1) - 1;
    if (left === 0) perUser.delete(ownerId);
    else perUser.set(ownerId, left);
    if (streams.size > 0) return;
    stopTicking?.();
    stopTicking = null;
    for (const done of onDrained) done();
  }

  function refusal(ownerId: string): StreamErrorCode | null {
    if (draining) return "draining";
    const full = streams.size >= maxStreams || (perUser.get(ownerId) ?? 0) >= maxStreamsPerUser;
    return full ? "overloaded" : null;
  }

  /** An answer that is one error frame. */
  function refused(code: StreamErrorCode, lastSequence?: number): OpenStream {
    const { retryable, message } = STREAM_ERRORS[code];
    const details = lastSequence === undefined ? {} : { lastSequence };
    let gone = false;
    return {
      ready: Promise.resolve(),
      start(sink) {
        if (gone) return;
        sink.write(
          encodeFrames([
            encodeStreamError({ code, message, retryable, ...details }, retryAfter(code, random)),
          ]),
        );
        sink.end();
      },
      drained() {},
      closed() {
        gone = true;
      },
    };
  }

  function refuse(code: StreamErrorCode): OpenStream {
    count(code);
    return refused(code);
  }

  function open(request: StreamRequest): OpenStream {
    const { runId, ownerId } = request;
    const full = refusal(ownerId);
    if (full !== null) return refuse(full);
    const stream = createStream({
      runId,
      follow: (reader) => log.followers.open(runId, reader, request.since, ownerId),
      times,
      tickMs,
      pulse,
      now: () => clock.now(),
      random,
      authorize: request.authorize,
      onClosed(end) {
        if (end !== "run_finished" && end !== "disconnected") instead ??= refused(end);
        remove(stream, ownerId, end);
      },
    });
    const opening = stream.open();
    add(stream, ownerId);
    let lastSequence = 0;
    let instead: OpenStream | null = null;
    let gone = false;
    const ready = opening.then(
      (run) => {
        lastSequence = run.lastSequence;
        // A drain that began meanwhile has not seen this stream live. The client may have gone by now.
        if (draining && streams.has(stream)) streams.set(stream, clock.now());
      },
      (error: unknown) => {
        const code = streamErrorCode(error);
        stream.closed(code);
        if (code === "not_found") throw error;
        const details = error instanceof RunEventsError ? error.details : {};
        instead = refused(code, details.lastSequence);
      },
    );
    return {
      ready,
      start(sink) {
        if (gone) return;
        if (instead === null) stream.start(sink, lastSequence);
        else instead.start(sink);
      },
      drained: () => stream.drained(),
      closed() {
        gone = true;
        stream.closed();
      },
    };
  }

  return {
    open,
    refuse,
    drain(windowMs) {
      return new Promise((resolve) => {
        draining = true;
        onDrained.push(resolve);
        if (streams.size === 0) resolve();
        for (const [stream, drainAt] of streams) {
          streams.set(stream, Math.min(drainAt, clock.now() + random() * windowMs));
        }
        stopTicking?.();
        stopTicking =
          streams.size === 0
            ? null
            : clock.every(Math.max(5, Math.min(tickMs, windowMs / 50)), tickAll);
      });
    },
    stats: () => ({ open: streams.size, opened, ended: { ...ended } }),
  };
}
