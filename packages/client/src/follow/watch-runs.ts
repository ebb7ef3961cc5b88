import type { ServerOptions } from "../http/server.ts";
import { RunsReader } from "./follow-runs.ts";
import { foldChanges, type ListedRun, NO_RUNS } from "../feed/fold-changes.ts";
import type { FeedConnection } from "../feed/followed-feed.ts";

/** A list as it is now. */
export interface WatchedRuns {
  /** The live runs and the newest 50 of any status, newest first, and up to 200 that have ended while the loop watched. */
  readonly runs: readonly ListedRun[];
  /** Whether there are older live runs. */
  readonly more: boolean;
}

/** Which list to watch, and how. */
export interface WatchRunsOptions {
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
  /** Ends the loop at once, with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /**
   * The interval of the server's heartbeats, in milliseconds. After 2.5 intervals without a frame, the stream is given up.
   * @defaultValue 15,000
   * @see clause W22 in `WIRE.md` of `@tm/run-events-http`
   */
  readonly heartbeatMs?: number;
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
  const reader = new RunsReader(rest);
  const want = { topic, last };
  let list = NO_RUNS;
  let isNew = false;
  let failure: unknown;
  let wakeUp = (): void => {};
  const onAbort = (): void => wakeUp();
  signal?.addEventListener("abort", onAbort);
  try {
    reader.addFeed(
      { ...want, version: null },
      {
        onChanges(changes) {
          list = foldChanges(list, changes, want);
          // While the list begins again, the loop keeps the one from before.
          isNew ||= list.next === null;
          wakeUp();
        },
        onState(connection) {
          onConnectionState?.(connection);
          if (connection.state === "failed") failure = connection.error;
          wakeUp();
        },
      },
    );
    for (;;) {
      signal?.throwIfAborted();
      if (isNew) {
        isNew = false;
        yield { runs: newestFirst([...list.runs.values()]), more: list.more };
      } else if (failure !== undefined) throw failure;
      else await new Promise<void>((resolve) => (wakeUp = resolve));
    }
  } finally {
    signal?.removeEventListener("abort", onAbort);
    reader.close();
  }
}

/** Of two runs of the same time, the one that came later is newer. */
function newestFirst(runs: readonly ListedRun[]): readonly ListedRun[] {
  return runs
    .toReversed()
    .toSorted((one, other) =>
      one.createdAt < other.createdAt ? 1 : -Number(one.createdAt > other.createdAt),
    );
}
