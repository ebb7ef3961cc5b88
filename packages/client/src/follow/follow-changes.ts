import type { ServerOptions } from "../http/server.ts";
import { RunsReader } from "./follow-runs.ts";
import { type FeedChanges, mergeChanges } from "../feed/fold-changes.ts";
import type { FeedConnection } from "../feed/followed-feed.ts";

/** Which runs to follow, and how. */
export interface FollowChangesOptions {
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
  /**
   * The `cursor` of earlier changes, to go on after them. It is good for an hour; with an older one the loop begins with the live runs again.
   * @defaultValue none: the loop begins with the live runs
   */
  readonly since?: string | null | undefined;
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
 * Follows the owner's changed runs: over the live stream with a session, and by polls that the server holds with a token.
 * @throws RunEventsError any error that waiting cannot cure
 * @throws the signal's reason
 * @see clause W48 in `WIRE.md` of `@tm/run-events-http`
 */
export async function* followChanges(
  options: ServerOptions & FollowChangesOptions,
): AsyncGenerator<FeedChanges, void, undefined> {
  const { topic = null, last = false, since = null, signal, onConnectionState, ...rest } = options;
  signal?.throwIfAborted();
  const reader = new RunsReader(rest);
  let ready: FeedChanges | null = null;
  let failure: unknown;
  let wakeUp = (): void => {};
  const onAbort = (): void => wakeUp();
  signal?.addEventListener("abort", onAbort);
  try {
    reader.addFeed(
      { topic, last, cursor: since },
      {
        onChanges(changes) {
          // If the loop is busy, the changes gather. It then gets each run once, as the run is at that time.
          ready = ready === null ? changes : mergeChanges(ready, changes);
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
      const changes = ready as FeedChanges | null;
      ready = null;
      if (changes !== null) yield changes;
      else if (failure !== undefined) throw failure;
      else await new Promise<void>((resolve) => (wakeUp = resolve));
    }
  } finally {
    signal?.removeEventListener("abort", onAbort);
    reader.close();
  }
}
