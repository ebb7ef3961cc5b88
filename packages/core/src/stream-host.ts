import type { Follower, FollowerReader } from "./follower.ts";
import type { StreamEnd, StreamRequest, StreamTimes } from "./open-stream.ts";
import type { RunRecord } from "./store.ts";
import type { Stream } from "./stream.ts";

/** What the streams of one process share. */
export interface StreamHost {
  readonly times: StreamTimes;
  /** How much earlier a heartbeat may go out, so that none is late: the period of `tick`. */
  readonly tickMs: number;
  /** In whole milliseconds. */
  readonly now: () => number;
  /** 0 to 1, for the jitter. */
  readonly random: () => number;
  /** Finds the reader's place in its run. */
  readonly follow: (
    request: StreamRequest,
    reader: FollowerReader,
  ) => { readonly follower: Follower; readonly opened: Promise<RunRecord> };
  /** Before this time `tick` has nothing to do. */
  readonly onDue: (stream: Stream, dueAtMs: number) => void;
  /** Called once a stream, when its transport has let go, or never comes. */
  readonly onClosed: (stream: Stream, end: StreamEnd) => void;
}
