import { followersOf, type RunLog } from "../log/run-log.ts";
import { createTimetable } from "../time/timetable.ts";
import { encodeFailure, type StreamErrorCode } from "../wire/stream-error.ts";
import type {
  OpenStream,
  StreamEnd,
  StreamHost,
  StreamRequest,
  StreamTimes,
} from "./open-stream.ts";
import { Stream } from "./stream.ts";

/** Settings of `createStreams`, in milliseconds and streams. */
export interface StreamsOptions extends Partial<StreamTimes> {
  /** Default 20,000. @see W28 */
  readonly maxStreams?: number;
  /** Default 32. @see W28 */
  readonly maxStreamsPerUser?: number;
  /** 0 to 1, for jitter. Default `Math.random`. */
  readonly random?: () => number;
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
  const streams = createTimetable<Stream>();
  const perUser = new Map<string, number>();
  const ended: Partial<Record<StreamEnd, number>> = {};
  let opened = 0;
  let stopTicking: (() => void) | null = null;
  let draining = false;
  const onDrained: (() => void)[] = [];
  const host: StreamHost<Stream> = {
    times: { heartbeatMs, maxAgeMs, stallMs },
    tickMs: Math.max(5, Math.min(500, heartbeatMs / 10, maxAgeMs / 10, stallMs / 10)),
    now: () => Math.floor(clock.now()),
    random,
    follow: ({ runId, ownerId, since }, reader) =>
      followersOf(log).open(runId, reader, since, ownerId),
    onDue: (stream, dueAtMs) => streams.set(stream, dueAtMs),
    onClosed: remove,
  };

  function tickAll(): void {
    const time = host.now();
    streams.eachDue(time, (stream) => stream.tick(time));
  }

  function add(stream: Stream): void {
    const { ownerId } = stream.request;
    streams.add(stream, host.now() + stallMs);
    perUser.set(ownerId, (perUser.get(ownerId) ?? 0) + 1);
    opened += 1;
    stopTicking ??= clock.every(host.tickMs, tickAll);
  }

  function count(end: StreamEnd): void {
    ended[end] = (ended[end] ?? 0) + 1;
  }

  function remove(stream: Stream, end: StreamEnd): void {
    const { ownerId } = stream.request;
    streams.remove(stream);
    count(end);
    const left = (perUser.get(ownerId) ?? 1) - 1;
    if (left === 0) perUser.delete(ownerId);
    else perUser.set(ownerId, left);
    if (streams.items.length > 0) return;
    stopTicking?.();
    stopTicking = null;
    for (const done of onDrained) done();
  }

  function refusal(ownerId: string): StreamErrorCode | null {
    if (draining) return "draining";
    const full =
      streams.items.length >= maxStreams || (perUser.get(ownerId) ?? 0) >= maxStreamsPerUser;
    return full ? "overloaded" : null;
  }

  function refuse(code: StreamErrorCode): OpenStream {
    let gone = false;
    count(code);
    return {
      ready: Promise.resolve(),
      start(sink) {
        if (gone) return;
        sink.write(encodeFailure(code, 0, random));
        sink.end();
      },
      drained() {},
      closed() {
        gone = true;
      },
    };
  }

  return {
    open(request) {
      const full = refusal(request.ownerId);
      if (full !== null) return refuse(full);
      const stream = new Stream(host, request);
      add(stream);
      return stream;
    },
    refuse,
    drain(windowMs) {
      return new Promise((resolve) => {
        draining = true;
        onDrained.push(resolve);
        if (streams.items.length === 0) resolve();
        for (const stream of streams.items)
          stream.drain(host.now() + Math.floor(random() * windowMs));
        stopTicking?.();
        stopTicking =
          streams.items.length === 0
            ? null
            : clock.every(Math.max(5, Math.min(host.tickMs, windowMs / 50)), tickAll);
      });
    },
    stats: () => ({ open: streams.items.length, opened, ended: { ...ended } }),
  };
}
