import { FeedList } from "../feed/feed-list.ts";
import { type FeedWant, planFeed } from "../feed/feed-want.ts";
import { CONNECTING, type FeedConnection, FollowedFeed } from "../feed/followed-feed.ts";
import { linkAbort } from "../http/link-abort.ts";
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
export class SharedFeed extends Shared<FeedView, FollowedFeed> {
  readonly list: FeedList = new FeedList();
  #feed: FollowedFeed | null = null;
  #stop = (): void => {};

  constructor(options: ConnectionOptions) {
    super(options, null);
  }

  get connection(): FeedConnection {
    return this.#feed?.connection ?? CONNECTING;
  }

  protected override changeViews(): void {
    const before = this.#feed?.want ?? null;
    const next = planFeed(
      before,
      this.views.map(({ want }) => want),
    );
    if (next === null || next === before || this.hasFailed) return;
    const listener = { onChange: this.changeSoon, onState: this.changeSoon };
    this.#feed = new FollowedFeed(next, this.list, listener);
    const { signal, abort } = linkAbort(this.signal);
    // The connection closes when it follows nothing, so the new feed comes first.
    this.connect(this.#feed, signal);
    this.#stop();
    this.#stop = abort;
  }

  protected override onChange(): void {
    for (const view of this.views) view.onChange();
  }
}
