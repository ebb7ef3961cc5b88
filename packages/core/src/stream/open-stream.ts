import type { Follower } from "../follow/follower.ts";
import type { ListReader } from "../follow/list-reader.ts";
import type { FollowerReader } from "../follow/reader-set.ts";
import type { RunRecord } from "../rules/run.ts";
import type { RunStart } from "../rules/run-starts.ts";
import type { StreamErrorCode } from "../wire/stream-error.ts";

/** The transport under a stream, such as an HTTP response. One that throws ends its own stream, and `onError` gets the error. */
export interface StreamSink {
  /**
   * Hands bytes over. Returns `false` if it holds enough: the stream then writes nothing until `drained`.
   * @see clause W25 in `WIRE.md` of `@tm/run-events-http`
   */
  write(bytes: Uint8Array): boolean;
  /** Ends the answer after the bytes that were written. */
  end(): void;
  /** Cuts the connection. */
  destroy(): void;
}

/** The times of a stream, in milliseconds, as `StreamsOptions` has them. */
export interface StreamTimes {
  readonly heartbeatMs: number;
  readonly maxAgeMs: number;
  readonly stallMs: number;
}

/** The end of a stream, for metrics. `run_finished`: everything that it read has ended. */
export type StreamEnd = StreamErrorCode | "run_finished" | "disconnected";

/** One run of a stream, and who reads it. */
export interface RunRequest extends RunStart {
  readonly ownerId: string;
}

/** The reader that asks for a stream. */
export interface StreamReader {
  readonly ownerId: string;
  /**
   * Why the reader may no longer read, `null` if it may. Asked again every heartbeat.
   * @see clause W26 in `WIRE.md` of `@tm/run-events-http`
   */
  readonly authorize: () => Promise<StreamErrorCode | null>;
}

/** A client's request for the stream of a run. */
export interface StreamRequest extends RunStart, StreamReader {}

/** A feed on a stream of many runs. @see clause W48 in `WIRE.md` of `@tm/run-events-http` */
export interface FeedRequest {
  /** Only runs of this topic; `null` for all. */
  readonly topic: string | null;
  /** The version of the list that the reader has; `null` for none. */
  readonly have: string | null;
  /** Whether each run comes with its last event. */
  readonly withLast: boolean;
}

/**
 * A client's request for one stream of many runs, each at most once, or of a feed, or of both.
 * @see clauses W47 and W48 in `WIRE.md` of `@tm/run-events-http`
 */
export interface RunsRequest extends StreamReader {
  readonly runs: readonly RunStart[];
  /** `null` for none. */
  readonly feed: FeedRequest | null;
}

/** A stream that is being opened for a client. */
export interface OpenStream {
  /**
   * Resolves when `start` may be called: with a stream, or with an error to send instead.
   * @throws RunEventsError `not_found`: nothing may be sent
   */
  readonly ready: Promise<void>;
  /** Sends everything through the transport, from the first frame to the end. */
  start(sink: StreamSink): void;
  /** The transport takes bytes again. */
  drained(): void;
  /** The client has disconnected, or nothing is to be sent. Call it at any time. Idempotent. */
  closed(): void;
}

/** The parts that the sources of frames of one process share. */
export interface SourceHost {
  /** 0 to 1, for the jitter. */
  readonly random: () => number;
  /** Finds the reader's position in its run. */
  readonly follow: (
    run: RunRequest,
    reader: FollowerReader,
  ) => { readonly follower: Follower; readonly opened: Promise<RunRecord> };
  /** Finds the cursor this many events before the end of a run. */
  readonly tailStart: (run: RunRequest, tail: number) => Promise<number>;
  /**
   * Opens a reader of the owner's list.
   * @throws RunEventsError `invalid_request`, `store_unavailable` after the end of the log
   */
  readonly openFeed: (ownerId: string, feed: FeedRequest) => ListReader;
}

/** The settings and callbacks that the streams of one process share. */
export interface StreamHost<Stream> {
  readonly times: StreamTimes;
  /** The time by which a heartbeat may be early, so that none is late: the period of `tick`. */
  readonly tickMs: number;
  /** In whole milliseconds. */
  readonly now: () => number;
  /** 0 to 1, for the jitter. */
  readonly random: () => number;
  /** Before this time `tick` has nothing to do. */
  readonly onDue: (stream: Stream, dueAtMs: number) => void;
  /** Called once a stream, when its transport has closed, has thrown, or never comes. */
  readonly onClosed: (stream: Stream, end: StreamEnd) => void;
  /** Called with what a transport throws. Never throws. */
  readonly onError: (error: unknown) => void;
}
