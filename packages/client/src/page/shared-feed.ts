import type { FeedWant } from "../feed/feed-want.ts";
import { runsAddress } from "../http/server-url.ts";
import { FeedCell } from "./feed-cell.ts";
import { type ConnectionOptions, connectionFor } from "./page-connection.ts";

/** How long the feed is still followed after its last view has left, in milliseconds. A new view often comes at once. */
const LINGER_MS = 1_000;

/** A list of runs that a page shows. */
export interface FeedView {
  readonly want: FeedWant;
  /** Called after changes, once a frame, with the runs that were removed. */
  readonly onChange: (gone: ReadonlySet<string>) => void;
}

/** The feeds that views of this page show. Where a server renders, nothing joins. */
const shared = new Map<string, SharedFeed>();

/** Views with the same key share a feed. A credential's function is not part of it, because each render may make a new one. */
export function feedKey({ userId, credential, ...server }: ConnectionOptions): string {
  return JSON.stringify([runsAddress(server), userId, credential]);
}

/**
 * The feed that all views of this page share, if they ask for the same user.
 * @param options where the server is and who asks. Those of the first view decide
 */
export function shareFeed(options: ConnectionOptions): SharedFeed {
  const known = shared.get(feedKey(options));
  // One that has failed may still have views.
  return known === undefined || known.hasFailed ? new SharedFeed(options) : known;
}

/**
 * The owner's feed that any number of views show over one connection. It is followed from the first view until the last one has left, and
 * for one more second. A feed that has failed is left at once.
 */
export class SharedFeed {
  readonly cell: FeedCell;
  readonly #options: ConnectionOptions;
  readonly #views = new Set<FeedView>();
  readonly #left = new AbortController();
  #lingering: ReturnType<typeof setTimeout> | undefined;
  #isFollowed = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.cell = new FeedCell((gone) => {
      for (const { onChange } of this.#views) onChange(gone);
    });
  }

  /** Whether it has failed. Then it stays so. */
  get hasFailed(): boolean {
    return this.cell.connection.state === "failed";
  }

  /** Aborts when the feed is left. */
  get signal(): AbortSignal {
    return this.#left.signal;
  }

  /**
   * Adds a view.
   * @returns a function that removes it
   */
  join(view: FeedView): () => void {
    clearTimeout(this.#lingering);
    shared.set(feedKey(this.#options), this);
    this.#views.add(view);
    this.#want();
    if (!this.#isFollowed) connectionFor(this.#options, null).followFeed(this.cell, this.signal);
    this.#isFollowed = true;
    return () => {
      this.#views.delete(view);
      if (this.#views.size > 0) return this.#want();
      // The next view may be another user's, or the same one's after a new sign-in.
      if (this.hasFailed) this.#leave();
      else this.#lingering = setTimeout(() => this.#leave(), LINGER_MS);
    };
  }

  /** What is wanted stays until the last view has left for a second. */
  #want(): void {
    this.cell.wants = [...this.#views].map(({ want }) => want);
  }

  #leave(): void {
    this.#left.abort();
    if (shared.get(feedKey(this.#options)) === this) shared.delete(feedKey(this.#options));
  }
}
