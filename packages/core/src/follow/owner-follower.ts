import type { ChangedQuery, ChangedRuns, ChangedScope } from "../rules/changed.ts";
import type { StoredEvent } from "../rules/event.ts";
import { ownerName } from "../rules/owner-name.ts";
import type { ReadQuery, ReadResult } from "../rules/page.ts";
import type { RunRecord } from "../rules/run.ts";
import type { ListQuery, Subscription } from "../store/store.ts";
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

/** The subscription to a live run, for all feeds that have the run. */
interface Watched {
  readonly subscription: Subscription;
  readonly feeds: Set<FollowedFeed>;
}

/**
 * Follows one owner's runs, of one topic or of all, for all feeds of a process. It has one subscription for the owner and one for each
 * live run that a feed has. What feeds read at once is read once.
 */
export class OwnerFollower {
  readonly #scope: ChangedScope;
  readonly #source: OwnerSource;
  readonly #onEmpty: () => void;
  readonly #budget: WatchBudget;
  readonly #subscription: Subscription;
  readonly #feeds = new Set<FollowedFeed>();
  readonly #watched = new Map<string, Watched>();
  /** The reads under way that began after the last notification of their runs. */
  readonly #reading = new Map<string, Promise<RunRecord | null>>();

  /** @param onEmpty called when the last feed has left */
  constructor(scope: ChangedScope, source: OwnerSource, budget: WatchBudget, onEmpty: () => void) {
    this.#scope = scope;
    this.#budget = budget;
    this.#source = source;
    this.#onEmpty = onEmpty;
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
    for (const runId of this.#watched.keys()) this.unwatch(feed, runId);
    if (this.#feeds.size > 0) return;
    this.#subscription.stop();
    this.#onEmpty();
  }

  /** Notifies every feed that any run may have changed. */
  refresh(): void {
    for (const feed of this.#feeds) feed.notifyAll();
  }

  /** Notifies the feed of these live runs from now on. What changed before the subscriptions were ready comes with a page. */
  watch(feed: FollowedFeed, runIds: readonly string[]): void {
    if (runIds.length === 0) return;
    const readies = runIds.flatMap((runId) => {
      const watched = this.#watched.get(runId) ?? this.#subscribe(runId);
      watched?.feeds.add(feed);
      return watched === null ? [] : [watched.subscription.ready];
    });
    // Also if all were ready before: another feed was notified while this one waited for its page.
    void Promise.allSettled(readies).then(() => feed.notifyAll());
  }

  #subscribe(runId: string): Watched | null {
    if (this.#budget.left === 0) return null;
    this.#budget.left -= 1;
    const feeds = new Set<FollowedFeed>();
    const subscription = this.#source.subscribe(runId, () => {
      this.#reading.delete(runId);
      for (const one of feeds) one.notify(runId);
    });
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

  async list(since: string | null, limit: number): Promise<ChangedRuns> {
    const page = await this.#source.listChanged({ ...this.#scope, since, limit });
    // A read that began before the page may know less, and the cursor of the page does not say so.
    this.#reading.clear();
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
