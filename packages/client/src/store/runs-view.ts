import type { RunEventsError, RunSnapshot } from "@tm/run-events-core";
import type { ListedRun } from "../feed/feed-list.ts";
import type { FeedConnection } from "../feed/followed-feed.ts";
import type { RunsFilter } from "../http/queries.ts";
import type { ConnectionOptions } from "../page/page-connection.ts";

/** The part of a list that a page has before it reads the list, such as the part that its server rendered. A page of `list` is such a value. */
export interface InitialRuns {
  /** The newest runs of the list, newest first. */
  readonly runs: readonly RunSnapshot[];
}

/** The runs to show, their server and their user. */
export interface RunsOptions extends ConnectionOptions, RunsFilter {
  /**
   * Whether each run comes with its last event, such as the question of a run that waits.
   * @defaultValue `false`
   */
  readonly last?: boolean | undefined;
  /**
   * The runs that you already have, such as a page of `list`. The first view shows the ones that fit `status` and `topic`,
   * without their last events. At least as many runs are then read again.
   * @defaultValue none: the first view has no runs
   */
  readonly initial?: InitialRuns | undefined;
}

/** The user's runs as a page shows them. A run, or the list, stays the same object while nothing in it has changed. */
export interface RunsView {
  /** The state of the connection. */
  readonly state: FeedConnection["state"];
  /** Why the last attempt was lost, or why following failed; `null` if neither happened. */
  readonly error: RunEventsError | null;
  /**
   * Newest first: every live run, of more than 1,000 only the newest, the newest 50 that have ended, those that `loadMore` has read, and the
   * last 100 of those that ended while the page showed them.
   */
  readonly runs: readonly ListedRun[];
  /** Whether the first runs are still to come. With `initial` it is `false` from the beginning. */
  readonly isLoading: boolean;
  /** Whether there are older runs that have ended. */
  readonly hasMore: boolean;
  /** Whether `loadMore` is under way. */
  readonly isLoadingMore: boolean;
  /** Why the last `loadMore` failed; `null` once it is called again. */
  readonly loadError: RunEventsError | null;
  /**
   * Reads 50 older runs. While it is under way, a second call joins it. It does nothing without a subscriber, or if there are no older
   * runs. Never rejects: `loadError` shows a failure.
   */
  readonly loadMore: () => Promise<void>;
}
