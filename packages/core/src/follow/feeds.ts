import { checkChangeCursor } from "../rules/change-cursor.ts";
import type { ChangedQuery, ChangedRuns, ChangedScope } from "../rules/changed.ts";
import { storeClosed } from "../rules/errors.ts";
import type { Clock } from "../time/clock.ts";
import { ChangedLists } from "./changed-lists.ts";
import { Feed, type FeedOptions } from "./feed.ts";
import { OwnerFollower, type OwnerSource, type WatchBudget } from "./owner-follower.ts";
import { Rounds } from "./rounds.ts";

/** The most live runs that the feeds of a process subscribe to. */
const MOST_WATCHED = 100_000;

/** The feeds of one process. Those of the same owner and topic share a follower. */
export interface Feeds {
  /**
   * Opens a feed. Its reader ends it with `leave`.
   * @throws RunEventsError `invalid_cursor`, `store_unavailable` after `close`
   */
  open(scope: ChangedScope, options: FeedOptions): Feed;
  /**
   * Lists an owner's changed runs once. It takes turns with the owner's feeds.
   * @throws RunEventsError `store_unavailable`
   * @throws the signal's reason
   */
  list(query: ChangedScope & ChangedQuery, signal?: AbortSignal): Promise<ChangedRuns>;
  /** Ends all feeds and lists with `store_unavailable`, and every timer and subscription. Idempotent. Afterwards `open` throws. */
  close(): void;
}

/** Makes the feeds of a process. */
export function createFeeds(
  source: OwnerSource,
  clock: Clock,
  budget: WatchBudget = { left: MOST_WATCHED },
): Feeds {
  const lists = new ChangedLists((query) => source.listChanged(query));
  const followers = new Map<string, OwnerFollower>();
  const feeds = new Set<Feed>();
  const rounds = new Rounds(followers, clock);
  let isClosed = false;

  function followerOf(scope: ChangedScope): OwnerFollower {
    const name = JSON.stringify([scope.ownerId, scope.topic]);
    const existing = followers.get(name);
    if (existing !== undefined) return existing;
    const follower = new OwnerFollower(scope, { source, lists, clock, budget }, () => {
      if (followers.get(name) === follower) followers.delete(name);
      if (followers.size === 0) rounds.stop();
    });
    followers.set(name, follower);
    rounds.start();
    return follower;
  }

  return {
    open(scope, options) {
      if (isClosed) throw storeClosed();
      checkChangeCursor(options.since);
      const feed = new Feed(followerOf(scope), clock, options, () => feeds.delete(feed));
      feeds.add(feed);
      return feed;
    },
    list: (query, signal) => lists.list(query, signal),
    close() {
      isClosed = true;
      lists.close();
      for (const feed of feeds) feed.fail(storeClosed());
    },
  };
}
