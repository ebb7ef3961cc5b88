import { CURSOR_MS } from "../rules/changed.ts";
import { storeClosed } from "../rules/errors.ts";
import type { StoredEvent } from "../rules/event.ts";
import type { Clock } from "../time/clock.ts";
import type { FeedNews, KeptNews } from "./feed-plan.ts";
import { FeedState, LIST_AT_ONCE, READ_AT_ONCE } from "./feed-state.ts";
import { fitRuns } from "./fit-runs.ts";
import type { FollowedFeed, OwnerFollower } from "./owner-follower.ts";

/** Of how many runs the last events are read at once: one may have 256 KiB, and those that do not fit are read for nothing. */
const LAST_AT_ONCE = 4;

/** What a feed answers: at most 256 KiB of metadata and last events, or one larger run. */
export interface FeedPage extends FeedNews {
  /** Whether more news follows at once. */
  readonly hasMore: boolean;
  /** Where a reader goes on that comes back: it has every change before this cursor. */
  readonly cursor: string;
  /** The last event of each run in `runs` that has one, by the run's id, if it was asked for. */
  readonly last: ReadonlyMap<string, StoredEvent>;
}

/** How a feed begins. */
export interface FeedOptions {
  /** The cursor of an earlier page; `null` to begin with the live runs. */
  readonly since: string | null;
  /** Whether to read the last event of each run. */
  readonly withLast: boolean;
  /**
   * How many of the newest runs to begin with, as well as the live ones.
   * @defaultValue 0
   */
  readonly newest?: number;
  /**
   * The most runs, and ids of runs that are gone, of a page: from 1 to 128.
   * @defaultValue 128
   */
  readonly limit?: number;
  /**
   * Whether the first page comes at once, even if nothing has changed.
   * @defaultValue false
   */
  readonly answersFirst?: boolean;
}

/**
 * One reader of an owner's changed runs. The reader pulls: while it is busy, the ids of the runs that change gather in a set. It then
 * gets each of these runs as the run is at that time. A page that the reader has not taken yet is small, even if the runs are large: the
 * feed reads those that do not fit again for the next page.
 *
 * | state   | event                                   | next    | what happens                                              |
 * | ------- | --------------------------------------- | ------- | --------------------------------------------------------- |
 * | idle    | `next`                                  | busy    | it does what `FeedState.plan` says                        |
 * | busy    | the plan has a page or runs             | busy    | they are read; the state takes them, and subscriptions follow |
 * | busy    | they are news                           | idle    | `next` resolves with those that fit                       |
 * | busy    | nothing is to do                        | waiting | a timer runs until something is due                       |
 * | waiting | a notification, or the timer            | busy    |                                                           |
 * | any     | a notification                          | same    | the state remembers it                                    |
 * | busy    | a read fails                            | failed  | `next` rejects; the reader leaves, and comes back with its cursor |
 * | any     | `leave`, `fail`                         | over    | `next` rejects; the timer and the subscriptions end       |
 */
export class Feed implements FollowedFeed {
  readonly #follower: OwnerFollower;
  readonly #clock: Clock;
  readonly #withLast: boolean;
  readonly #onOver: () => void;
  readonly #state: FeedState;
  /** Aborts when the feed is over, with the reason. */
  readonly #over = new AbortController();
  /** Ends the wait, while there is one. */
  #wake: (() => void) | null = null;
  /** When the reader last got a cursor. */
  #givenAtMs: number;
  /** Whether the reader waits for a page after which nothing follows at once. */
  #owesPage: boolean;
  /** Whether the last list of the store had no `hasMore`. */
  #isComplete = false;

  /** @param onOver called once, when the feed has ended */
  constructor(
    follower: OwnerFollower,
    clock: Clock,
    { since, withLast, newest = 0, limit = LIST_AT_ONCE, answersFirst = false }: FeedOptions,
    onOver: () => void,
  ) {
    this.#follower = follower;
    this.#onOver = onOver;
    this.#clock = clock;
    this.#withLast = withLast;
    this.#state = new FeedState(since, newest, limit);
    this.#owesPage = answersFirst;
    this.#givenAtMs = clock.now();
    follower.join(this);
  }

  /**
   * Resolves with what has changed, once something has. Without a change it resolves only if the feed starts over, after pages with
   * `hasMore`, or with a new cursor after 15 minutes. Do not call it again before it has settled, nor after it has rejected.
   * @throws RunEventsError `store_unavailable`
   */
  async next(): Promise<FeedPage> {
    for (;;) {
      this.#throwIfOver();
      const news = await this.#step();
      this.#throwIfOver();
      if (news === null) continue;
      const last = await this.#lastOf(news);
      this.#throwIfOver();
      const kept = this.#state.keep(news, fitRuns(news.runs, last).length);
      if (!(isNews(kept) || this.#isOwed(kept) || this.#isCursorOld())) continue;
      this.#owesPage = kept.hasMore;
      this.#givenAtMs = this.#clock.now();
      return { ...kept, last: lastOf(kept, last), cursor: this.#state.cursor ?? "" };
    }
  }

  /** Whether live runs may have changed that were not in the last page. */
  get isBehind(): boolean {
    return this.#state.isBehind;
  }

  notify(runId: string): void {
    this.#state.notify(runId);
    this.#wake?.();
  }

  notifyAll(): void {
    this.#state.notifyAll();
    this.#wake?.();
  }

  /** Ends the feed for its reader. Idempotent. */
  leave(): void {
    this.fail(storeClosed());
  }

  /** Ends the feed with an error. Idempotent. */
  fail(failure: unknown): void {
    if (this.#isOver) return;
    this.#over.abort(failure);
    this.#follower.leave(this);
    this.#onOver();
    this.#wake?.();
  }

  get #isOver(): boolean {
    return this.#over.signal.aborted;
  }

  /** Does one thing of the plan, or waits. */
  async #step(): Promise<FeedNews | null> {
    const { lists, newest, runIds, dueAtMs } = this.#state.plan(this.#clock.now());
    if (lists) return this.#list();
    if (newest !== null) {
      const runs = await this.#follower.newest(newest);
      const news = this.#state.takeNewest(runs, newest.limit, this.#clock.now());
      this.#watch(this.#isComplete);
      return news;
    }
    if (runIds.length > 0) return this.#read(runIds);
    await this.#wait(dueAtMs);
    return null;
  }

  async #list(): Promise<FeedNews> {
    this.#state.listing();
    const { listed, limit } = this.#state;
    const page = await this.#follower.list(listed, limit, this.#over.signal);
    const news = this.#state.takePage(page, this.#clock.now());
    this.#watch(this.#isComplete && !page.isReset && !page.hasMore);
    this.#isComplete = !page.hasMore;
    return news;
  }

  async #read(runIds: readonly string[]): Promise<FeedNews> {
    this.#state.reading(runIds);
    const heads = await Promise.all(runIds.map((runId) => this.#follower.head(runId)));
    const read = new Map(runIds.map((runId, at) => [runId, heads[at] ?? null]));
    const news = this.#state.takeRuns(read, this.#clock.now());
    this.#watch(this.#isComplete);
    return news;
  }

  /**
   * Subscribes to the live runs that the news has begun.
   * @param isSteady whether few changes come at a time. Then the feed reads each of these runs again; otherwise it reads the list again
   */
  #watch(isSteady: boolean): void {
    const { begun, ended } = this.#state.takeWatches();
    if (this.#isOver) return;
    for (const runId of ended) this.#follower.unwatch(this, runId);
    this.#follower.watch(this, begun, isSteady && begun.length <= READ_AT_ONCE);
  }

  /** Reads the last events of the first runs, as many as fit in a page. */
  async #lastOf({ runs }: FeedNews): Promise<ReadonlyMap<string, StoredEvent>> {
    const last = new Map<string, StoredEvent>();
    if (!this.#withLast) return last;
    for (let read = 0; ; read += LAST_AT_ONCE) {
      const fits = fitRuns(runs, last).length;
      if (read >= fits) return last;
      const piece = runs.slice(read, Math.min(fits, read + LAST_AT_ONCE));
      for (const [runId, event] of await this.#follower.lastOf(piece)) last.set(runId, event);
    }
  }

  #wait(dueAtMs: number | null): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const pauseMs = dueAtMs === null ? null : Math.max(1, dueAtMs - this.#clock.now());
    const stop = pauseMs === null ? null : this.#clock.every(pauseMs, () => this.#wake?.());
    this.#wake = () => {
      this.#wake = null;
      stop?.();
      resolve();
    };
    return promise;
  }

  #isOwed({ hasMore }: KeptNews): boolean {
    return this.#owesPage && !hasMore;
  }

  /** Whether a reader that came back with the last cursor that it got might soon have to start over. */
  #isCursorOld(): boolean {
    return this.#state.cursor !== null && this.#clock.now() - this.#givenAtMs > CURSOR_MS / 4;
  }

  #throwIfOver(): void {
    this.#over.signal.throwIfAborted();
  }
}

function lastOf(
  { runs }: FeedNews,
  last: ReadonlyMap<string, StoredEvent>,
): ReadonlyMap<string, StoredEvent> {
  const runIds = new Set(runs.map(({ runId }) => runId));
  return new Map([...last].filter(([runId]) => runIds.has(runId)));
}

function isNews({ isReset, runs, gone }: FeedNews): boolean {
  return isReset || runs.length + gone.length > 0;
}
