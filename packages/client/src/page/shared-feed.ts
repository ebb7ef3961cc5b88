import type { FeedWant } from "../feed/feed-want.ts";
import { FeedCell } from "./feed-cell.ts";
import { type ConnectionOptions, connectionFor, shareKey } from "./page-connection.ts";
import { shareBy, Shared } from "./shared.ts";

/** A list of runs that a page shows. */
export interface FeedView {
  readonly want: FeedWant;
  /** Called after changes, once a frame, with the runs that were removed. */
  readonly onChange: (gone: ReadonlySet<string>) => void;
}

/**
 * The feed that all views of this page share, if they ask for the same user.
 * @param options where the server is and who asks. Those of the first view decide
 */
export function shareFeed(options: ConnectionOptions): SharedFeed {
  return shareBy(shareKey(options, null), (key) => new SharedFeed(key, options));
}

/** The owner's feed that any number of views show. It is followed from the first view. */
export class SharedFeed extends Shared<FeedView> {
  readonly cell: FeedCell;
  readonly #options: ConnectionOptions;
  #isFollowed = false;

  constructor(key: string, options: ConnectionOptions) {
    super(key);
    this.#options = options;
    this.cell = new FeedCell((gone) => {
      for (const { onChange } of this.views) onChange(gone);
    });
  }

  get hasFailed(): boolean {
    return this.cell.isOver;
  }

  protected override changeViews(): void {
    this.cell.wants = this.views.map(({ want }) => want);
    if (!this.#isFollowed) connectionFor(this.#options, null).follow(this.cell, this.signal);
    this.#isFollowed = true;
  }
}
