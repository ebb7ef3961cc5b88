import { isTerminal, type RunEventsError } from "@tm/run-events-core";
import { checkTopic } from "@tm/run-events-core/wire";
import type { FeedWant } from "../feed/feed-want.ts";
import { keepSame, type ListedRun } from "../feed/feed-list.ts";
import { CONNECTING, type FeedConnection } from "../feed/followed-feed.ts";
import type { RunsFilter } from "../http/queries.ts";
import { CALL_PATIENCE_MS, type CallOptions } from "../http/retrying.ts";
import { toError } from "../http/server-errors.ts";
import { shareKey } from "../page/page-connection.ts";
import { type SharedFeed, shareFeed } from "../page/shared-feed.ts";
import { hasEnded, isPicked, pickRuns } from "./pick-runs.ts";
import { readRuns, type RunsPage, type RunsRange } from "./read-runs.ts";
import type { Store } from "./run-view.ts";
import type { InitialRuns, RunsOptions, RunsView } from "./runs-view.ts";

/** The number of runs that are read at first, and by `loadMore`. */
const PAGE_RUNS = 50;
/** The number of ended runs that a view keeps in addition to those that were read: the newest. */
const MOST_MORE = 200;

/** Options with the same key are for the same view. */
export function runsKey(options: RunsOptions): string {
  const { status, topic, last = false } = options;
  return JSON.stringify([shareKey(options, null), status, topic, last]);
}

/**
 * One view of the user's runs. The feed has every live run, and those that end. Those that have ended before are read from the list: again
 * each time the feed starts over, because it may have missed an end.
 *
 * | it                    | until                                      | then                    |
 * | --------------------- | ------------------------------------------ | ----------------------- |
 * | has no subscriber     | the first one comes                        | joins the shared feed   |
 * | loads                 | the feed has every live run                | reads the list          |
 * | reads the list        | its runs have come                         | shows both              |
 * | shows both            | the feed has started over                  | shows both, and reads the list |
 * | shows both            | the last subscriber leaves, and 1 s more   | keeps what it has       |
 */
export class RunsStore implements Store<RunsView> {
  readonly #options: RunsOptions;
  readonly #filter: RunsFilter;
  readonly #want: FeedWant;
  readonly #listeners = new Set<{ readonly call: () => void }>();
  #shared: SharedFeed | null = null;
  #leave = (): void => {};
  #connection: FeedConnection = CONNECTING;
  /** Why the list could not be read. */
  #failure: FeedConnection | null = null;
  /** The runs that were read, in the order of the list, after those that have ended since. */
  #read: ReadonlyMap<string, ListedRun> = new Map();
  /** Where the list goes on: `null` at its end, and `undefined` if runs before that place were dropped. */
  #nextCursor: string | null | undefined = null;
  /** The number of runs that were asked for. */
  #count = PAGE_RUNS;
  /** The epoch of the feed for which the list is, or was, read. */
  #epoch = 0;
  #isLoading = true;
  /** The number of reads of the list that are under way. */
  #reads = 0;
  #loading: Promise<void> | null = null;
  #loadError: RunEventsError | null = null;
  /** The runs that were removed since a read of the list began. */
  #gone = new Set<string>();
  #runs: readonly ListedRun[] = [];
  readonly #first: RunsView;
  #view: RunsView;

  constructor(options: RunsOptions) {
    const { status, topic, last = false, initial } = options;
    this.#options = options;
    this.#filter = { status, topic };
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
    if (shared === null || shared.signal.aborted || this.#nextCursor === null) return;
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
    this.#runs = listed.filter((run) => isPicked(run, this.#filter));
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
    const onChange = (gone: ReadonlySet<string>): void => this.#take(shared, gone);
    this.#leave = shared.join({ want: this.#want, onChange });
    // After a short leave, as under StrictMode, it is still the same one.
    if (shared !== this.#shared || this.#failure?.state === "failed") {
      this.#shared = shared;
      this.#epoch = 0;
      this.#failure = null;
    }
    this.#take(shared, new Set());
  }

  /** Takes what is new of the feed. */
  #take(shared: SharedFeed, gone: ReadonlySet<string>): void {
    for (const runId of gone) this.#gone.add(runId);
    const hasForgotten = this.#forget(gone);
    this.#connection = shared.connection;
    const { epoch } = shared.list;
    if (shared.list.has(this.#want)) {
      if (epoch !== this.#epoch) this.#begin(shared, epoch);
      // It was removed, or is too old for the feed: only the list says which.
      else if (hasForgotten && hasEnded(this.#filter)) void this.#readAgain(shared, epoch);
      this.#pick();
    }
    this.#change();
  }

  /** The feed has every live run, and what it had before may have ended meanwhile. */
  #begin(shared: SharedFeed, epoch: number): void {
    this.#epoch = epoch;
    if (!hasEnded(this.#filter)) {
      this.#isLoading = false;
      return;
    }
    // The shown runs stay until the list is read.
    this.#keepEnded();
    void this.#readAgain(shared, epoch);
  }

  async #readAgain(shared: SharedFeed, epoch: number): Promise<void> {
    const { signal } = shared;
    const onRetry = (error: RunEventsError): void => {
      this.#failure = { state: "paused", error };
      this.#change();
    };
    try {
      const range = { count: this.#count, cursor: null };
      const page = await this.#readRuns(range, { signal, onRetry });
      if (epoch !== this.#epoch || signal.aborted) return;
      this.#failure = null;
      this.#isLoading = false;
      this.#takePage(page, new Map());
    } catch (error) {
      if (epoch !== this.#epoch || signal.aborted) return;
      this.#failure = { state: "failed", error: toError(error) };
    }
    this.#change();
  }

  async #load(shared: SharedFeed): Promise<void> {
    const { signal } = shared;
    const cursor = this.#nextCursor ?? null;
    const epoch = this.#epoch;
    this.#loadError = null;
    // Without a place to go on, all are read again.
    const count = cursor === null ? this.#count + PAGE_RUNS : PAGE_RUNS;
    try {
      const range = { count, cursor };
      const page = await this.#readRuns(range, { signal, patienceMs: CALL_PATIENCE_MS });
      // If the list was begun again meanwhile, it has another end.
      if (epoch !== this.#epoch || signal.aborted) return;
      this.#count += PAGE_RUNS;
      this.#takePage(page, cursor === null ? new Map() : this.#read);
    } catch (error) {
      if (!signal.aborted) this.#loadError = toError(error);
    }
  }

  async #readRuns(range: RunsRange, how: CallOptions): Promise<RunsPage> {
    if (this.#reads === 0) this.#gone = new Set();
    this.#reads += 1;
    try {
      return await readRuns(this.#options, range, how);
    } finally {
      this.#reads -= 1;
    }
  }

  #takePage({ runs, nextCursor }: RunsPage, before: ReadonlyMap<string, ListedRun>): void {
    const read = new Map(before);
    for (const run of runs) {
      if (this.#gone.has(run.runId)) continue;
      const known = this.#read.get(run.runId);
      read.set(run.runId, keepSame(known, run, known?.last ?? null));
    }
    this.#read = read;
    this.#nextCursor = nextCursor;
    this.#pick();
  }

  #pick(): void {
    const fed = this.#shared?.list.runs ?? new Map<string, ListedRun>();
    const runs = this.#bound(pickRuns(fed, this.#read, this.#filter));
    const isSame =
      runs.length === this.#runs.length && runs.every((run, index) => run === this.#runs[index]);
    if (isSame) return;
    this.#runs = runs;
    if (hasEnded(this.#filter)) this.#keepEnded();
  }

  /** Leaves out the oldest runs that have ended, if they are too many. */
  #bound(runs: readonly ListedRun[]): readonly ListedRun[] {
    const ended = runs.filter(({ runStatus }) => isTerminal(runStatus));
    const dropped = new Set(ended.slice(this.#count + MOST_MORE));
    if (dropped.size === 0) return runs;
    this.#nextCursor = undefined;
    return runs.filter((run) => !dropped.has(run));
  }

  /** Keeps the runs that it shows and that have ended, even if the feed forgets them. */
  #keepEnded(): void {
    const ended = this.#runs.filter(({ runStatus }) => isTerminal(runStatus));
    this.#read = new Map(ended.map((run) => [run.runId, run]));
  }

  /** @returns whether there was anything to forget */
  #forget(gone: ReadonlySet<string>): boolean {
    if (![...gone].some((runId) => this.#read.has(runId))) return false;
    this.#read = new Map([...this.#read].filter(([runId]) => !gone.has(runId)));
    return true;
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
      hasMore: this.#nextCursor !== null,
      isLoadingMore: this.#loading !== null,
      loadError: this.#loadError,
      loadMore: this.loadMore,
    };
  }
}
