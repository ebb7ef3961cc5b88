import type { RunEventsError, RunSnapshot } from "@tm/run-events-core";
import { checkTopic } from "@tm/run-events-core/wire";
import type { FeedWant } from "../feed/feed-want.ts";
import { keepSame, type ListedRun } from "../feed/feed-list.ts";
import { CONNECTING, type FeedConnection } from "../feed/followed-feed.ts";
import { CALL_PATIENCE_MS, type CallOptions } from "../http/retrying.ts";
import { toError } from "../http/server-errors.ts";
import { shareKey } from "../page/page-connection.ts";
import { type SharedFeed, shareFeed } from "../page/shared-feed.ts";
import { hasEnded, isPicked, pickRuns } from "../feed/pick-runs.ts";
import { readRuns } from "./read-runs.ts";
import type { Store } from "./run-view.ts";
import type { InitialRuns, RunsOptions, RunsView } from "./runs-view.ts";

/** The number of runs that are read at first, and that each `loadMore` adds. */
const PAGE_RUNS = 50;

/** Options with the same key are for the same view. */
export function runsKey(options: RunsOptions): string {
  const { status, topic, last = false } = options;
  return JSON.stringify([shareKey(options, null), status, topic, last]);
}

/**
 * One view of the user's runs. The feed has every live run, and those that end. Runs that ended before are read from the list, always from
 * the newest on: at the beginning, at each `loadMore`, and each time the feed may have lost a run.
 *
 * | it                    | until                                         | then                                                    |
 * | --------------------- | --------------------------------------------- | ------------------------------------------------------- |
 * | has no subscriber     | the first one comes                           | joins the shared feed                                   |
 * | loads                 | the feed has every live run                   | shows these, and reads the list                         |
 * | reads the list        | its runs have come                            | shows both                                              |
 * | shows both            | the feed lost an ended run, or started over   | reads the list. Ended runs that it shows stay meanwhile |
 * | shows both            | `loadMore`                                    | reads the list with 50 older runs, next to other reads  |
 * | shows both            | the last subscriber leaves, and 1 s more      | keeps what it has                                       |
 *
 * Meanwhile, it always shows what the feed sends.
 */
export class RunsStore implements Store<RunsView> {
  readonly #options: RunsOptions;
  readonly #want: FeedWant;
  readonly #listeners = new Set<{ readonly call: () => void }>();
  #shared: SharedFeed | null = null;
  #leave = (): void => {};
  #connection: FeedConnection = CONNECTING;
  /** Why the list could not be read. */
  #failure: FeedConnection | null = null;
  /** The runs that were read, in the order of the list. */
  #read: ReadonlyMap<string, ListedRun> = new Map();
  /** The number of runs to read. */
  #count = PAGE_RUNS;
  /** The runs of the list as it was read last. Those that are shown after the last of them are live. */
  #listed: ReadonlySet<string> = new Set();
  #hasMore = false;
  /** The epoch of the feed for which the list was read. */
  #epoch = 0;
  #isLoading = true;
  #loading: Promise<void> | null = null;
  #loadError: RunEventsError | null = null;
  /** Whether the list has to be read again. */
  #isStale = false;
  /** The feed for which the list is read, until it need not be read again. `loadMore` is not counted. */
  #readFor: SharedFeed | null = null;
  #runs: readonly ListedRun[] = [];
  readonly #first: RunsView;
  #view: RunsView;

  constructor(options: RunsOptions) {
    const { topic, last = false, initial } = options;
    this.#options = options;
    this.#want = { topic: topic ?? null, last };
    if (initial !== undefined) this.#beginWith(initial);
    this.#first = this.#look();
    this.#view = this.#first;
  }

  /** The first view, with the runs of `initial`: what a server renders, and what the browser shows before React has hydrated it. */
  readonly getFirstSnapshot = (): RunsView => this.#first;

  readonly getSnapshot = (): RunsView => this.#view;

  readonly subscribe = (listener: () => void): (() => void) => {
    const own = { call: listener };
    this.#listeners.add(own);
    if (this.#listeners.size === 1 && this.#hasTopic()) this.#join(shareFeed(this.#options));
    return () => {
      if (this.#listeners.delete(own) && this.#listeners.size === 0) this.#leave();
    };
  };

  readonly loadMore = async (): Promise<void> => {
    const shared = this.#shared;
    if (shared === null || shared.signal.aborted || !this.#hasMore) return;
    this.#loading ??= this.#load(shared).finally(() => {
      this.#loading = null;
      this.#change();
    });
    this.#change();
    await this.#loading;
  };

  /** Shows the runs of `initial`, until the feed has come, and the list if it is read. */
  #beginWith({ runs }: InitialRuns): void {
    const listed = runs.map((run) => ({ ...run, last: null }));
    this.#runs = listed.filter((run) => isPicked(run, this.#options));
    this.#count = Math.max(this.#count, runs.length);
    this.#isLoading = false;
  }

  /** Whether a run can have the topic. If not, only this view fails: asking for the topic would end the connection that all views share. */
  #hasTopic(): boolean {
    try {
      checkTopic(this.#want.topic);
      return true;
    } catch (error) {
      this.#failure = { state: "failed", error: toError(error) };
      this.#isLoading = false;
      this.#change();
      return false;
    }
  }

  #join(shared: SharedFeed): void {
    this.#leave = shared.join({ want: this.#want, onChange: () => this.#take(shared) });
    // After a short leave, as under StrictMode, it is still the same one.
    if (shared !== this.#shared || this.#failure?.state === "failed") {
      this.#shared = shared;
      this.#epoch = 0;
      this.#failure = null;
    }
    this.#take(shared);
  }

  /** Takes what is new of the feed. */
  #take(shared: SharedFeed): void {
    const { connection, list } = shared;
    this.#connection = connection;
    if (list.has(this.#want)) {
      if (!hasEnded(this.#options)) this.#isLoading = false;
      else if (list.epoch !== this.#epoch) this.#refresh(shared);
      this.#epoch = list.epoch;
      this.#pick(shared);
    }
    this.#change();
  }

  /** Reads the list again. What is shown and has ended stays meanwhile: the feed may have lost it. */
  #refresh(shared: SharedFeed): void {
    this.#read = new Map(this.#runs.map((run) => [run.runId, run]));
    this.#isStale = true;
    if (this.#readFor !== shared) void this.#readAgain(shared);
  }

  /** Reads the list until the feed has lost no run meanwhile. It does not give up while that may help. */
  async #readAgain(shared: SharedFeed): Promise<void> {
    this.#readFor = shared;
    const { signal } = shared;
    const onRetry = (error: RunEventsError): void => {
      if (shared !== this.#shared) return;
      this.#failure = { state: "paused", error };
      this.#change();
    };
    while (this.#isStale && this.#isJoined(shared)) {
      this.#isStale = false;
      try {
        await this.#readRuns(shared, this.#count, { signal, onRetry });
      } catch (error) {
        if (!this.#isJoined(shared)) break;
        this.#failure = { state: "failed", error: toError(error) };
        this.#change();
      }
    }
    // In the same turn as the check above: a later request starts another read.
    if (this.#readFor === shared) this.#readFor = null;
  }

  /** Reads 50 older runs, however many newer ones have come. A person waits for them, so it does not wait for the other read. */
  async #load(shared: SharedFeed): Promise<void> {
    const { signal, list } = shared;
    const { epoch } = list;
    const shown = this.#runs.findLastIndex(({ runId }) => this.#listed.has(runId)) + 1;
    const count = Math.max(this.#count, shown) + PAGE_RUNS;
    this.#loadError = null;
    try {
      await this.#readRuns(shared, count, { signal, patienceMs: CALL_PATIENCE_MS });
      // The answer may be older than what the feed has lost since.
      if (epoch !== list.epoch && this.#isJoined(shared)) this.#refresh(shared);
    } catch (error) {
      if (!signal.aborted) this.#loadError = toError(error);
    }
  }

  #isJoined(shared: SharedFeed): boolean {
    return shared === this.#shared && !shared.signal.aborted;
  }

  /** Reads the newest runs, and shows them, unless more of them were read meanwhile: then they are stale. */
  async #readRuns(shared: SharedFeed, count: number, how: CallOptions): Promise<void> {
    const { list } = shared;
    const { gone, end } = list.collectGone();
    try {
      const { runs, hasMore } = await readRuns(this.#options, count, how);
      if (!this.#isJoined(shared)) return;
      // A run that was removed may have come again.
      const left = runs.filter(({ runId }) => !gone.has(runId) || list.runs.has(runId));
      if (count < this.#count) this.#isStale = true;
      else this.#takePage(left, hasMore);
      [this.#count, this.#failure, this.#isLoading] = [Math.max(count, this.#count), null, false];
      if (list.has(this.#want)) this.#pick(shared);
      this.#change();
    } finally {
      end();
    }
  }

  #takePage(runs: readonly RunSnapshot[], hasMore: boolean): void {
    const shown = new Map(this.#runs.map((run) => [run.runId, run]));
    const listed = runs.map((run) => {
      const known = shown.get(run.runId);
      // The list has no last events: the known one stays while the run has no newer.
      const last = known?.lastSequence === run.lastSequence ? known.last : null;
      return keepSame(known, run, last);
    });
    this.#read = new Map(listed.map((run) => [run.runId, run]));
    this.#listed = new Set(this.#read.keys());
    this.#hasMore = hasMore;
  }

  #pick({ list }: SharedFeed): void {
    const runs = pickRuns(list.runs, this.#read, this.#options);
    const isSame =
      runs.length === this.#runs.length && runs.every((run, index) => run === this.#runs[index]);
    if (!isSame) this.#runs = runs;
  }

  #change(): void {
    const next = this.#look();
    const keys = Object.keys(next) as (keyof RunsView)[];
    if (keys.every((key) => next[key] === this.#view[key])) return;
    this.#view = next;
    for (const { call } of this.#listeners) call();
  }

  #look(): RunsView {
    const isFailed = this.#connection.state === "failed";
    const { state, error } = isFailed ? this.#connection : (this.#failure ?? this.#connection);
    return {
      state,
      error,
      runs: this.#runs,
      isLoading: this.#isLoading,
      hasMore: this.#hasMore,
      isLoadingMore: this.#loading !== null,
      loadError: this.#loadError,
      loadMore: this.loadMore,
    };
  }
}
