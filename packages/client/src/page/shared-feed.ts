import { FeedList } from "../feed/feed-list.ts";
import { type FeedWant, planFeed } from "../feed/feed-want.ts";
import { CONNECTING, type FeedConnection, FollowedFeed } from "../feed/followed-feed.ts";
import type { RunsReader } from "../follow/follow-runs.ts";
import type { ConnectionOptions } from "./page-connection.ts";
import { shareBy, Shared } from "./shared.ts";

/** A list of runs that a page shows. */
export interface FeedView {
  readonly want: FeedWant;
  /** Called after changes, once a frame. */
  readonly onChange: () => void;
}

/**
 * The feed that all views of this page share, if they ask for the same user.
 * @param options where the server is and who asks. Those of the first view decide
 */
export function shareFeed(options: ConnectionOptions): SharedFeed {
  return shareBy(options, null, () => new SharedFeed(options));
}

/** The owner's list that any number of views show. It is followed from the first view. One feed serves what all of them want. */
export class SharedFeed extends Shared<FeedView, FeedConnection> {
  readonly list: FeedList = new FeedList();
  #isConnected = false;
  #reader: RunsReader | null = null;
  /** The feed that is read. */
  #feed: FeedWant | null = null;
  #stop = (): void => {};

  constructor(options: ConnectionOptions) {
    super(options, null, CONNECTING);
  }

  read(reader: RunsReader): () => void {
    this.#reader = reader;
    // The reading of an earlier reader has ended with it.
    this.#feed = null;
    this.#plan();
    return () => {
      this.#reader = null;
      this.#stop();
    };
  }

  protected override changeViews(): void {
    if (this.#isConnected) return this.#plan();
    this.#isConnected = true;
    this.connect();
  }

  protected override onChange(): void {
    for (const view of this.views) view.onChange();
  }

  #plan(): void {
    if (this.#reader === null || this.isOver) return;
    const wants = this.views.map(({ want }) => want);
    const next = planFeed(this.#feed ?? this.list.feed, wants);
    if (next === null || next === this.#feed) return;
    this.#stop();
    this.#feed = next;
    const followed = new FollowedFeed(next, this.list, {
      onChange: this.changeSoon,
      onState: (connection) => this.setConnection(connection),
    });
    this.#stop = this.#reader.follow(followed);
  }
}
