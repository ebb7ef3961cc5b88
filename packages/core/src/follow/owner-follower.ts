import type { ChangedQuery, ChangedRuns, ChangedScope } from "../rules/changed.ts";
import type { StoredEvent } from "../rules/event.ts";
import { ownerName } from "../rules/owner-name.ts";
import type { ReadQuery, ReadResult } from "../rules/page.ts";
import type { RunRecord } from "../rules/run.ts";
import type { Subscription } from "../store/store.ts";

/** The part of a store that the feeds of an owner need. */
export interface OwnerSource {
  listChanged(query: ChangedQuery): Promise<ChangedRuns>;
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
  readonly #subscription: Subscription;
  readonly #feeds = new Set<FollowedFeed>();
  readonly #watched = new Map<string, Watched>();
  /** The reads under way that began after the last notification of their runs. */
  readonly #reading = new Map<string, Promise<RunRecord | null>>();

  /** @param onEmpty called when the last feed has left */
  constructor(scope: ChangedScope, source: OwnerSource, onEmpty: () => void) {
    this.#scope = scope;
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

  /** Notifies the feed of a live run from now on. */
  watch(feed: FollowedFeed, runId: string): void {
    const watched = this.#watched.get(runId);
    if (watched !== undefined) {
      watched.feeds.add(feed);
      return;
    }
    const feeds = new Set([feed]);
    const notify = (): void => {
      this.#reading.delete(runId);
      for (const one of feeds) one.notify(runId);
    };
    const subscription = this.#source.subscribe(runId, notify);
    this.#watched.set(runId, { subscription, feeds });
    // What was appended between the read and this notified no subscription.
    subscription.ready.then(notify, () => {});
  }

  unwatch(feed: FollowedFeed, runId: string): void {
    const watched = this.#watched.get(runId);
    if (watched === undefined) return;
    watched.feeds.delete(feed);
    if (watched.feeds.size > 0) return;
    watched.subscription.stop();
    this.#watched.delete(runId);
  }

  list(since: string | null, limit: number): Promise<ChangedRuns> {
    return this.#source.listChanged({ ...this.#scope, since, limit });
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

  /** The event of a run at this sequence, `null` if it is not there. */
  async eventAt(runId: string, sequence: number): Promise<StoredEvent | null> {
    if (sequence === 0) return null;
    const { ownerId } = this.#scope;
    const query = { runId, ownerId, since: sequence - 1, limit: 1, maxBytes: 1 };
    const [event = null] = (await this.#source.read(query))?.events ?? [];
    return event;
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
