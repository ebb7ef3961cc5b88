import type { ServerOptions } from "../http/server.ts";
import type { FollowRunOptions } from "./follow-options.ts";
import { RunsReader } from "./follow-runs.ts";
import { FeedList, type ListedRun } from "../feed/feed-list.ts";
import { type FeedConnection, FollowedFeed } from "../feed/followed-feed.ts";
import { pickRuns } from "../feed/pick-runs.ts";
import { Waker } from "./waker.ts";

/** A list as it is now. */
export interface WatchedRuns {
  /** The live runs and the newest 50 of any status, newest first, and up to 200 that have ended while the loop watched. */
  readonly runs: readonly ListedRun[];
  /** Whether there are older live runs. */
  readonly more: boolean;
}

/** The list to watch, and how. */
export interface WatchRunsOptions extends Pick<FollowRunOptions, "signal" | "heartbeatMs"> {
  /**
   * Only runs of this topic.
   * @defaultValue none: runs of all topics
   * @see clause W34 in `WIRE.md` of `@tm/run-events-http`
   */
  readonly topic?: string | null | undefined;
  /**
   * Whether each run comes with its last event.
   * @defaultValue `false`
   */
  readonly last?: boolean | undefined;
  /** Called after each change of the connection's state. */
  readonly onConnectionState?: ((state: FeedConnection) => void) | undefined;
}

/**
 * Watches the owner's list: over the live stream with a session, and by polls that the server holds with a token.
 * @throws RunEventsError any error that waiting cannot cure
 * @throws the signal's reason
 * @see clause W48 in `WIRE.md` of `@tm/run-events-http`
 */
export async function* watchRuns(
  options: ServerOptions & WatchRunsOptions,
): AsyncGenerator<WatchedRuns, void, undefined> {
  const { topic = null, last = false, signal, onConnectionState, ...rest } = options;
  signal?.throwIfAborted();
  const waker = new Waker(signal);
  const reader = new RunsReader(rest);
  const list = new FeedList();
  let isNew = false;
  let failure: unknown;
  try {
    const feed = new FollowedFeed({ topic, last }, list, {
      onChange() {
        isNew = true;
        waker.wake();
      },
      onState(connection, cause) {
        failure ??= cause;
        try {
          onConnectionState?.(connection);
        } catch (thrown) {
          failure ??= thrown;
        }
        waker.wake();
      },
    });
    reader.follow(feed);
    for (;;) {
      await waker.wait();
      // While the list starts over, the loop keeps the one from before.
      if (isNew && list.isWhole) {
        isNew = false;
        yield { runs: pickRuns(list.runs, new Map(), {}), more: list.more };
      }
      if (failure !== undefined) throw failure;
    }
  } finally {
    waker.stop();
    reader.close();
  }
}
