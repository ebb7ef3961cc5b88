import { fromEarlier } from "../rules/change-cursor.ts";
import type { ChangedQuery, ChangedRuns, ChangedScope } from "../rules/changed.ts";
import type { StoredEvent } from "../rules/event.ts";
import { isTerminal } from "../rules/lifecycle.ts";
import { ownerName } from "../rules/owner-name.ts";
import type { ReadQuery, ReadResult } from "../rules/page.ts";
import type { RunRecord } from "../rules/run.ts";
import type { ListQuery, Subscription } from "../store/store.ts";
import type { Clock } from "../time/clock.ts";
import type { ChangedLists } from "./changed-lists.ts";
import { STATE_PAUSE_MS } from "./feed-state.ts";
import { readLastEvents } from "./last-events.ts";

/** The part of a store that the feeds of an owner need. */
export interface OwnerSource {
  listChanged(query: ChangedQuery): Promise<ChangedRuns>;
  listRuns(query: ListQuery): Promise<readonly RunRecord[]>;
  read(query: ReadQuery): Promise<ReadResult | null>;
  subscribe(name: string, onNotification: () => void): Subscription;
}

/** A feed, as its owner's follower notifies it. */
export interface FollowedFeed {
  /** A live run may have changed. */
  notify(runId: string): void;
  /** Any run may have changed. */
  notifyAll(): void;
}

/** How many more live runs the feeds of a process may subscribe to. Changes of others come with the next round. */
export interface WatchBudget {
  left: number;
}

/** What the followers of a process share. */
export interface OwnerFollowers {
  readonly source: OwnerSource;
  readonly lists: ChangedLists;
  readonly clock: Clock;
  readonly budget: WatchBudget;
}

/** A page after which nothing had changed. */
interface NewestPage {
  readonly cursor: string;
  readonly madeAt: number;
  /** The runs that had ended or were removed. */
  readonly departed: ReadonlySet<string>;
}

/** Before the first one. */
const NO_PAGE: NewestPage = { cursor: "", madeAt: 0, departed: new Set() };

/** The subscription to a live run, for all feeds that have the run. */
interface Watched {
  readonly subscription: Subscription;
  readonly feeds: Set<FollowedFeed>;
}

/**
 * Follows one owner's runs, of one topic or of all, for all feeds of a process. It has one subscription for the owner and one for each
 * live run that a feed has. What feeds read at once is read once.
 *
 * When any run may have changed, it notifies all its feeds together, at most once in `STATE_PAUSE_MS`. So the feeds ask for their lists at
 * the same time, and those at the same cursor share one list. Feeds that have asked at the same time get the same cursor.
 */
export class OwnerFollower {
  readonly #scope: ChangedScope;
  readonly #source: OwnerSource;
  readonly #lists: ChangedLists;
  readonly #clock: Clock;
  readonly #onEmpty: () => void;
  readonly #budget: WatchBudget;
  readonly #subscription: Subscription;
  readonly #feeds = new Set<FollowedFeed>();
  readonly #watched = new Map<string, Watched>();
  /** The reads under way that began after the last notification of their runs. */
  readonly #reading = new Map<string, Promise<RunRecord | null>>();
  /** The feeds that are to be notified that any run may have changed. */
  readonly #due = new Set<FollowedFeed>();
  #notifiedAtMs: number;
  #stopPause: (() => void) | null = null;
  /** The number of the last call or cursor. It shows which came first. */
  #moment = 0;
  /** The newest page after which nothing had changed. */
  #newest: NewestPage = NO_PAGE;

  /** @param onEmpty called when the last feed has left */
  constructor(
    scope: ChangedScope,
    { source, lists, clock, budget }: OwnerFollowers,
    onEmpty: () => void,
  ) {
    this.#scope = scope;
    this.#budget = budget;
    this.#source = source;
    this.#lists = lists;
    this.#clock = clock;
    this.#onEmpty = onEmpty;
    this.#notifiedAtMs = clock.now();
    this.#subscription = source.subscribe(ownerName(scope.ownerId), () => this.refresh());
    // What was created before the subscription was ready did not notify.
    this.#subscription.ready.then(
      () => this.refresh(),
      () => {},
    );
  }

  join(feed: FollowedFeed): void {
    this.#feeds.add(feed);
  }

  /** Ends the feed's subscriptions. */
  leave(feed: FollowedFeed): void {
    this.#feeds.delete(feed);
    this.#due.delete(feed);
    for (const runId of this.#watched.keys()) this.unwatch(feed, runId);
    if (this.#feeds.size > 0) return;
    this.#endPause();
    this.#subscription.stop();
    this.#onEmpty();
  }

  /** Notifies every feed that any run may have changed. */
  refresh(): void {
    for (const feed of this.#feeds) this.#due.add(feed);
    this.#notifyDue();
  }

  #notifyDue(): void {
    // Its subscription may be ready after the last feed has left.
    if (this.#stopPause !== null || this.#due.size === 0) return;
    const pauseMs = this.#notifiedAtMs + STATE_PAUSE_MS - this.#clock.now();
    if (pauseMs <= 0) this.#notifyAllDue();
    else this.#stopPause = this.#clock.every(Math.max(1, pauseMs), () => this.#notifyAllDue());
  }

  #notifyAllDue(): void {
    this.#endPause();
    this.#notifiedAtMs = this.#clock.now();
    const due = [...this.#due];
    this.#due.clear();
    for (const feed of due) feed.notifyAll();
  }

  #endPause(): void {
    this.#stopPause?.();
    this.#stopPause = null;
  }

  /**
   * Notifies the feed of these live runs from now on. When the subscriptions are ready, it notifies once more: a change before that did not
   * notify.
   * @param isEach whether this last notification is of each of the runs, or that any run may have changed
   */
  watch(feed: FollowedFeed, runIds: readonly string[], isEach: boolean): void {
    if (runIds.length === 0) return;
    const readies = runIds.flatMap((runId) => {
      const watched = this.#watched.get(runId) ?? this.#subscribe(runId);
      watched?.feeds.add(feed);
      return watched === null ? [] : [watched.subscription.ready];
    });
    // Also if all were ready before: another feed was notified while this one waited for its page.
    void Promise.allSettled(readies).then(() => {
      if (!this.#feeds.has(feed)) return;
      if (isEach) {
        for (const runId of runIds) feed.notify(runId);
        return;
      }
      this.#due.add(feed);
      this.#notifyDue();
    });
  }

  #subscribe(runId: string): Watched | null {
    if (this.#budget.left === 0) return null;
    this.#budget.left -= 1;
    const feeds = new Set<FollowedFeed>();
    const subscription = this.#source.subscribe(runId, () => {
      this.#reading.delete(runId);
      for (const one of feeds) one.notify(runId);
    });
    // A read that began before the subscription was ready may be older than one that begins now.
    subscription.ready.then(
      () => this.#reading.delete(runId),
      () => {},
    );
    const watched = { subscription, feeds };
    this.#watched.set(runId, watched);
    return watched;
  }

  unwatch(feed: FollowedFeed, runId: string): void {
    const watched = this.#watched.get(runId);
    if (watched === undefined) return;
    watched.feeds.delete(feed);
    if (watched.feeds.size > 0) return;
    watched.subscription.stop();
    this.#watched.delete(runId);
    this.#budget.left += 1;
  }

  /**
   * Lists the changed runs after a cursor, as of a time after this call.
   *
   * If the reader has everything with this page, the page may get the cursor of another feed's page. That cursor was made after this call,
   * and its list had ended before the list of this page began, because lists of an owner are made one after the other. So the reader has
   * everything up to that cursor. What only this page has comes again. If only this page has an end or a removal, the page keeps its own
   * cursor: by that cursor the store sees whether it has lost the end or the removal.
   */
  async list(since: string | null, limit: number, signal: AbortSignal): Promise<ChangedRuns> {
    const askedAt = (this.#moment += 1);
    const page = await this.#lists.list({ ...this.#scope, since, limit }, signal);
    // A read that began before the page may know less, and the cursor of the page does not say so.
    this.#reading.clear();
    if (page.hasMore) return page;
    const departed = departedIn(page);
    const { madeAt, cursor, departed: known } = this.#newest;
    if (madeAt > askedAt && [...departed].every((runId) => known.has(runId)))
      return { ...page, cursor: fromEarlier(page.cursor, cursor) };
    this.#newest = { cursor: page.cursor, madeAt: (this.#moment += 1), departed };
    return page;
  }

  /** A run as it is now; `null` if it does not exist, or is not one of these runs. */
  head(runId: string): Promise<RunRecord | null> {
    const underWay = this.#reading.get(runId);
    if (underWay !== undefined) return underWay;
    const read = this.#head(runId).finally(() => {
      if (this.#reading.get(runId) === read) this.#reading.delete(runId);
    });
    this.#reading.set(runId, read);
    return read;
  }

  /** Some of the newest runs, of any status. */
  newest(part: Pick<ListQuery, "before" | "limit">): Promise<readonly RunRecord[]> {
    return this.#source.listRuns({ ...this.#scope, runStatus: null, ...part });
  }

  /** The last event of each run that has one, by its id. */
  lastOf(runs: readonly RunRecord[]): Promise<ReadonlyMap<string, StoredEvent>> {
    return readLastEvents((query) => this.#source.read(query), runs);
  }

  async #head(runId: string): Promise<RunRecord | null> {
    const { ownerId, topic } = this.#scope;
    // The head alone: no event follows this cursor.
    const since = Number.MAX_SAFE_INTEGER - 1;
    const read = await this.#source.read({ runId, ownerId, since, limit: 1, maxBytes: 1 });
    if (read === null || (topic !== null && read.run.topic !== topic)) return null;
    return read.run;
  }
}

function departedIn({ runs, gone }: ChangedRuns): ReadonlySet<string> {
  const ended = runs.filter(({ runStatus }) => isTerminal(runStatus));
  return new Set([...ended.map(({ runId }) => runId), ...gone]);
}
