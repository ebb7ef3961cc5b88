import type { ListReaderOptions } from "../follow/list-reader.ts";
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

/** The end of a stream, for metrics. `run_finished`: everything that it read has ended. */
export type StreamEnd = StreamErrorCode | "run_finished" | "disconnected";

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
export interface FeedRequest extends ListReaderOptions {
  /** Only runs of this topic; `null` for all. */
  readonly topic: string | null;
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
