import { CURSOR_MS } from "../rules/changed.ts";
import { storeClosed } from "../rules/errors.ts";
import type { StoredEvent } from "../rules/event.ts";
import type { Clock } from "../time/clock.ts";
import { type FeedNews, FeedState, READ_AT_ONCE } from "./feed-state.ts";
import type { FollowedFeed, OwnerFollower } from "./owner-follower.ts";

const NO_EVENTS: ReadonlyMap<string, StoredEvent> = new Map();

/** What a feed answers. */
export interface FeedPage extends FeedNews {
  /** Where a reader goes on that comes back: it has everything before. */
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
   * Whether the first page comes at once, even if nothing has changed.
   * @defaultValue false
   */
  readonly answersFirst?: boolean;
}

/**
 * One reader of an owner's changed runs. It is pulled: what changes while the reader is busy gathers in a set of run ids, and the
 * reader then gets each as it is at that time.
 *
 * | state   | event                                   | next    | what happens                                              |
 * | ------- | --------------------------------------- | ------- | --------------------------------------------------------- |
 * | idle    | `next`                                  | busy    | it does what `FeedState.plan` says                        |
 * | busy    | the plan has a page or runs             | busy    | they are read; the state takes them, and subscriptions follow |
 * | busy    | they are news                           | idle    | `next` resolves                                           |
 * | busy    | nothing is to do                        | waiting | a timer runs until something is due                       |
 * | waiting | a notification, or the timer            | busy    |                                                           |
 * | any     | a notification                          | same    | the state remembers it                                    |
 * | busy    | a read fails                            | idle    | `next` rejects; a later `next` tries again                |
 * | any     | `leave`, `fail`                         | over    | `next` rejects; the timer and the subscriptions end       |
 */
export class Feed implements FollowedFeed {
  readonly #follower: OwnerFollower;
  readonly #clock: Clock;
  readonly #withLast: boolean;
  readonly #onOver: () => void;
  readonly #state: FeedState;
  /** Ends the wait, while there is one. */
  #wake: (() => void) | null = null;
  /** When the reader last got a cursor. */
  #givenAtMs: number;
  /** Whether the reader waits for a page after which nothing follows at once. */
  #owesPage: boolean;
  #failure: unknown = null;
  #isOver = false;

  /** @param onOver called once, when the feed has ended */
  constructor(
    follower: OwnerFollower,
    clock: Clock,
    { since, withLast, newest = 0, answersFirst = false }: FeedOptions,
    onOver: () => void,
  ) {
    this.#follower = follower;
    this.#onOver = onOver;
    this.#clock = clock;
    this.#withLast = withLast;
    this.#state = new FeedState(since, newest);
    this.#owesPage = answersFirst;
    this.#givenAtMs = clock.now();
    follower.join(this);
  }

  /**
   * Resolves with what has changed, once something has. Without a change it resolves only if it starts over, after pages with
   * `hasMore`, or, after some minutes, with a new cursor. Not to be called again before it has settled.
   * @throws RunEventsError `store_unavailable`
   */
  async next(): Promise<FeedPage> {
    for (;;) {
      this.#throwIfOver();
      const news = await this.#step();
      this.#throwIfOver();
      if (news === null || !(isNews(news) || this.#isOwed(news) || this.#isCursorOld())) continue;
      const last = this.#withLast ? await this.#follower.lastOf(news.runs) : NO_EVENTS;
      this.#throwIfOver();
      this.#owesPage = news.hasMore;
      this.#givenAtMs = this.#clock.now();
      return { ...news, last, cursor: this.#state.cursor ?? "" };
    }
  }

  /** The cursor with which a reader comes back that has taken every page; `null` before the first. */
  get cursor(): string | null {
    return this.#state.cursor;
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
    this.#isOver = true;
    this.#failure = failure;
    this.#follower.leave(this);
    this.#onOver();
    this.#wake?.();
  }

  /** Does one thing of the plan, or waits. */
  async #step(): Promise<FeedNews | null> {
    const { lists, newest, runIds, dueAtMs } = this.#state.plan(this.#clock.now());
    if (lists) return this.#list();
    if (newest !== null) {
      const runs = await this.#follower.newest(newest);
      return this.#watch(this.#state.takeNewest(runs, newest.limit, this.#clock.now()));
    }
    if (runIds.length > 0) return this.#read(runIds);
    await this.#wait(dueAtMs);
    return null;
  }

  async #list(): Promise<FeedNews> {
    this.#state.listing();
    try {
      const page = await this.#follower.list(this.#state.listed, READ_AT_ONCE);
      return this.#watch(this.#state.takePage(page, this.#clock.now()));
    } catch (error) {
      this.#state.notifyAll();
      throw error;
    }
  }

  async #read(runIds: readonly string[]): Promise<FeedNews> {
    this.#state.reading(runIds);
    try {
      const heads = await Promise.all(runIds.map((runId) => this.#follower.head(runId)));
      const read = new Map(runIds.map((runId, at) => [runId, heads[at] ?? null]));
      return this.#watch(this.#state.takeRuns(read, this.#clock.now()));
    } catch (error) {
      for (const runId of runIds) this.#state.notify(runId);
      throw error;
    }
  }

  /** Subscribes to what the news have begun. */
  #watch(news: FeedNews): FeedNews {
    const { begun, ended } = this.#state.takeWatches();
    if (this.#isOver) return news;
    for (const runId of ended) this.#follower.unwatch(this, runId);
    this.#follower.watch(this, begun);
    return news;
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

  #isOwed({ hasMore }: FeedNews): boolean {
    return this.#owesPage && !hasMore;
  }

  /** Whether a reader that came back with the last cursor that it got might soon have to start over. */
  #isCursorOld(): boolean {
    return this.#state.cursor !== null && this.#clock.now() - this.#givenAtMs > CURSOR_MS / 4;
  }

  #throwIfOver(): void {
    if (this.#isOver) throw this.#failure;
  }
}

function isNews({ isReset, runs, gone }: FeedNews): boolean {
  return isReset || runs.length + gone.length > 0;
}
