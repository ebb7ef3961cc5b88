import { partsOf, reportOf, type RunLog } from "../log/run-log.ts";
import type { RunStart } from "../rules/run-starts.ts";
import { checkTopic } from "../rules/short-text.ts";
import { createTimetable } from "../time/timetable.ts";
import type { Report } from "../rules/telemetry.ts";
import { encodeFrames } from "../wire/frame.ts";
import {
  encodeError,
  retryAfter,
  streamErrorCode,
  type StreamErrorCode,
} from "../wire/stream-error.ts";
import type { FramePart, FrameSource, FrameTaker } from "./frame-source.ts";
import { FeedSource } from "./feed-source.ts";
import { JoinedSource } from "./joined-source.ts";
import type {
  OpenStream,
  RunsRequest,
  StreamEnd,
  StreamReader,
  StreamRequest,
} from "./open-stream.ts";
import { RunSource } from "./run-source.ts";
import { StreamPlaces } from "./stream-places.ts";
import { sendLast } from "./stream-output.ts";
import { Stream, type StreamHost } from "./stream.ts";

/** Settings of {@link Streams}, in milliseconds and streams. */
export interface StreamsOptions {
  /**
   * The longest silence on a stream, and how often its reader's right to read is checked again, in milliseconds.
   * @defaultValue 15,000
   * @see clauses W22 and W26 in `WIRE.md` of `@tm/run-events-http`
   */
  readonly heartbeatMs?: number;
  /**
   * The maximum age of a stream, in milliseconds. Each lives 0.8 to 1 times as long.
   * @defaultValue 900,000
   * @see clause W26 in `WIRE.md` of `@tm/run-events-http`
   */
  readonly maxAgeMs?: number;
  /**
   * The time that a reader may take nothing before its stream ends, in milliseconds.
   * @defaultValue 30,000
   * @see clause W25 in `WIRE.md` of `@tm/run-events-http`
   */
  readonly stallMs?: number;
  /**
   * The most streams that are open at once. Together they read at most five times this number of runs, or 1,000 if that is more. The
   * streams of one user read at most a quarter of that.
   * @defaultValue 20,000
   * @see clauses W28 and W47 in `WIRE.md` of `@tm/run-events-http`
   */
  readonly maxStreams?: number;
  /**
   * The most streams of one user that are open at once.
   * @defaultValue 32
   * @see clause W28 in `WIRE.md` of `@tm/run-events-http`
   */
  readonly maxStreamsPerUser?: number;
  /**
   * A number from 0 to 1, for jitter.
   * @defaultValue `Math.random`
   */
  readonly random?: () => number;
  /**
   * Called with what a stream's transport throws.
   * @defaultValue nothing is called
   */
  readonly onError?: (error: unknown) => void;
}

/** Counts of streams since the start. */
interface StreamStats {
  readonly open: number;
  readonly opened: number;
  /** The number of streams that have ended, by the way they ended. */
  readonly ended: Readonly<Partial<Record<StreamEnd, number>>>;
}

/**
 * The live streams of one process: their limits, their clock and their end. One timer serves all of them, while any is open.
 */
export class Streams {
  readonly #log: RunLog;
  readonly #report: Report | null;
  readonly #places: StreamPlaces;
  readonly #host: StreamHost;
  readonly #streams = createTimetable<Stream>();
  readonly #ended: Partial<Record<StreamEnd, number>> = {};
  #opened = 0;
  #isDraining = false;
  #stopTicking: (() => void) | null = null;
  readonly #onDrained: (() => void)[] = [];

  constructor(log: RunLog, options: StreamsOptions = {}) {
    const { maxStreams = 20_000, maxStreamsPerUser = 32, random = Math.random } = options;
    const { heartbeatMs = 15_000, maxAgeMs = 900_000, stallMs = 30_000 } = options;
    const { clock } = log;
    this.#log = log;
    this.#report = reportOf(log);
    this.#places = new StreamPlaces(maxStreams, maxStreamsPerUser);
    this.#host = {
      heartbeatMs,
      maxAgeMs,
      stallMs,
      tickMs: Math.max(5, Math.min(500, heartbeatMs / 10, maxAgeMs / 10, stallMs / 10)),
      now: () => Math.floor(clock.now()),
      random,
      onDue: (stream, dueAtMs) => this.#streams.set(stream, dueAtMs),
      onClosed: (stream, end) => this.#remove(stream, end),
      onError(error) {
        try {
          options.onError?.(error);
        } catch {
          // A host's log that fails must not end other streams.
        }
      },
    };
  }

  /** Opens a stream, or refuses it with `overloaded` or `draining`. @see clause W28 in `WIRE.md` of `@tm/run-events-http` */
  open(request: StreamRequest): OpenStream {
    return this.#open(request, 1, this.#opening(request, request.ownerId, false));
  }

  /**
   * Does the same for many runs and a feed. It counts as one stream, and the feed as one run. A run that cannot be read ends alone, and
   * so does the feed.
   * @throws RunEventsError `invalid_request` for a bad feed, `store_unavailable` for a feed after the end of the log
   * @see clauses W47 and W48 in `WIRE.md` of `@tm/run-events-http`
   */
  openRuns(request: RunsRequest): OpenStream {
    const { runs, feed, ownerId } = request;
    const openings: ((taker: FrameTaker) => FramePart)[] = runs.map((run) =>
      this.#opening(run, ownerId, true),
    );
    // Its runs have a bound of their own. It is the first to open, so that a bad topic is refused at once.
    if (feed !== null) {
      const { topic, ...options } = feed;
      openings.unshift((taker) => {
        const scope = { ownerId, topic: checkTopic(topic) };
        return new FeedSource(partsOf(this.#log).watches.open(scope, options), taker);
      });
    }
    return this.#open(
      request,
      openings.length,
      (taker) => new JoinedSource(this.#host.random, taker, openings),
    );
  }

  /**
   * Makes a stream of one `error` frame: `internal` for any error that is not foreseen. A failure that a retry may cure needs this answer.
   * @see clause W24 in `WIRE.md` of `@tm/run-events-http`
   */
  refuse(error: unknown): OpenStream {
    return this.#refuse(streamErrorCode(error));
  }

  #opening(run: RunStart, ownerId: string, isOneOfMany: boolean): (taker: FrameTaker) => RunSource {
    const { followers } = partsOf(this.#log);
    const { random } = this.#host;
    return (taker) => new RunSource(followers, random, { ...run, ownerId }, taker, isOneOfMany);
  }

  #refuse(code: StreamErrorCode): OpenStream {
    const { random, onError } = this.#host;
    let gone = false;
    this.#count(code);
    this.#report?.({ type: "stream_refused", reason: code });
    return {
      ready: Promise.resolve(),
      start(sink) {
        if (gone) return;
        const frame = encodeError(code, {}, retryAfter(code, random));
        sendLast(sink, encodeFrames([frame]), onError);
      },
      drained() {},
      closed() {
        gone = true;
      },
    };
  }

  /**
   * Refuses new streams and ends the open ones, spread over the window. Resolves when the last transport has closed.
   * @see clause W27 in `WIRE.md` of `@tm/run-events-http`
   */
  drain(windowMs: number): Promise<void> {
    return new Promise((resolve) => {
      const { now, random, tickMs } = this.#host;
      this.#isDraining = true;
      this.#onDrained.push(resolve);
      for (const stream of this.#streams.items)
        stream.drain(now() + Math.floor(random() * windowMs));
      if (this.#streams.items.length === 0) resolve();
      else this.#tickEvery(Math.max(5, Math.min(tickMs, windowMs / 50)));
    });
  }

  stats(): StreamStats {
    return {
      open: this.#streams.items.length,
      opened: this.#opened,
      ended: { ...this.#ended },
    };
  }

  #open(
    reader: StreamReader,
    runs: number,
    source: (taker: FrameTaker) => FrameSource,
  ): OpenStream {
    if (this.#isDraining) return this.#refuse("draining");
    if (!this.#places.hasRoom(reader.ownerId, runs)) return this.#refuse("overloaded");
    const stream = new Stream(this.#host, reader, runs, source);
    this.#add(stream);
    return stream;
  }

  #add(stream: Stream): void {
    const { now, stallMs, tickMs } = this.#host;
    this.#streams.add(stream, now() + stallMs);
    this.#places.count(stream.reader.ownerId, 1, stream.runs);
    this.#opened += 1;
    this.#report?.({ type: "stream_opened" });
    if (this.#stopTicking === null) this.#tickEvery(tickMs);
  }

  #remove(stream: Stream, end: StreamEnd): void {
    this.#streams.remove(stream);
    this.#places.count(stream.reader.ownerId, -1, stream.runs);
    this.#count(end);
    this.#report?.({ type: "stream_ended", reason: end });
    if (this.#streams.items.length > 0) return;
    this.#stopTicking?.();
    this.#stopTicking = null;
    for (const done of this.#onDrained) done();
  }

  #count(end: StreamEnd): void {
    this.#ended[end] = (this.#ended[end] ?? 0) + 1;
  }

  #tickEvery(periodMs: number): void {
    this.#stopTicking?.();
    this.#stopTicking = this.#log.clock.every(periodMs, () => {
      const time = this.#host.now();
      this.#streams.eachDue(time, (stream) => stream.tick(time));
    });
  }
}
