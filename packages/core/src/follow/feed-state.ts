import type { ChangedRuns } from "../rules/changed.ts";
import { isTerminal } from "../rules/lifecycle.ts";
import type { LivePosition, RunRecord } from "../rules/run.ts";
import { FeedPlace } from "./feed-place.ts";
import type { FeedNews, FeedPlan, FeedWatches, KeptNews, Sent } from "./feed-plan.ts";

/** The pause between two states of a run that a feed sends, in milliseconds. @see clause W48 in `WIRE.md` of `@tm/run-events-http` */
export const STATE_PAUSE_MS = 250;
/** How many runs that have ended a feed remembers, so that it does not send their end twice. */
const MOST_ENDED = 1_000;
/**
 * How many live runs a feed remembers and subscribes to. More are sent as often as a page has them, and their changes come with the
 * pages.
 */
const MOST_LIVE = 1_000;
/** The most runs that are read at once: each may have 256 KiB of metadata, and as much of a last event. */
export const READ_AT_ONCE = 16;
/** The most runs of a page of the store, which looks at all live runs of the owner for each page, and bounds its bytes itself. */
export const LIST_AT_ONCE = 128;

/**
 * What the reader of a feed has, and what it has to get: each run as it is now, not before `STATE_PAUSE_MS` after its last state, and
 * none twice. It reads no clock and makes no call.
 *
 * A cursor is kept back while a state that it counts as sent waits for its pause: a reader that came back with the cursor would never get
 * that state. The cursor leaves out runs that were sent after its page: their states come again, as the store may have lost them. The
 * cursor of a page that starts over leaves out what did not fit: the cursors before it are of no use.
 */
export class FeedState {
  /** The live runs that the reader has: from this feed, or from before its cursor. */
  readonly #live = new Map<string, Sent>();
  /** The ends that the reader has, those that were sent last at the end. */
  readonly #over = new Map<string, Sent>();
  /** The live runs that may have changed since they were sent. */
  readonly #dirty = new Set<string>();
  /** The runs that were read and did not fit. They are read again before anything else. */
  readonly #late = new Set<string>();
  readonly #begun = new Set<string>();
  readonly #ended = new Set<string>();
  #mustList = true;
  #place: FeedPlace | null;
  /** The place of the last page, and the runs that it waits for. */
  #held: { readonly place: FeedPlace; readonly runIds: Set<string> } | null = null;
  /** How many of the newest runs a reader gets that begins. */
  readonly #newest: number;
  /** The most runs of a page. */
  readonly #limit: number;
  /** How many runs to read at once: if some did not fit, only as many as did fit, and then twice as many each time. */
  #atOnce: number;
  /** How many of them are still to be listed, and before which one; `null` if all are. */
  #older: { readonly before: number | null; readonly left: number } | null = null;
  /** Whether more pages follow at once. */
  #hasMorePages = false;

  /**
   * @param newest how many of the newest runs a reader that begins gets as well as the live ones
   * @param limit the most runs of a page
   */
  constructor(cursor: string | null, newest: number = 0, limit: number = LIST_AT_ONCE) {
    this.#place = cursor === null ? null : new FeedPlace(cursor);
    this.#newest = newest;
    this.#limit = Math.min(limit, LIST_AT_ONCE);
    this.#atOnce = Math.min(limit, READ_AT_ONCE);
  }

  /** The cursor with which the reader may come back: it has everything before it. `null` before the first page. */
  get cursor(): string | null {
    return this.#place?.cursor ?? null;
  }

  /** The cursor after which the next page goes on; `null` for the first page. */
  get listed(): string | null {
    return (this.#held?.place ?? this.#place)?.cursor ?? null;
  }

  /** The most runs, and ids of runs that are gone, that are asked for at once. */
  get limit(): number {
    return this.#limit;
  }

  /** Whether live runs may have changed that were not in the last news. */
  get isBehind(): boolean {
    return this.#dirty.size > 0;
  }

  /** A run may have changed. */
  notify(runId: string): void {
    if (this.#live.has(runId)) this.#dirty.add(runId);
  }

  /** Any run may have changed, or been created or removed. */
  notifyAll(): void {
    this.#mustList = true;
  }

  /** What to do now. */
  plan(nowMs: number): FeedPlan {
    const nothing = { lists: false, newest: null, runIds: [], dueAtMs: null };
    if (this.#late.size > 0) return { ...nothing, runIds: [...this.#late].slice(0, this.#atOnce) };
    if (this.#older !== null) {
      const { before, left } = this.#older;
      return { ...nothing, newest: { before, limit: Math.min(left, this.#limit, READ_AT_ONCE) } };
    }
    if (this.#mustList) return { ...nothing, lists: true };
    const runIds: string[] = [];
    let dueAtMs = Number.POSITIVE_INFINITY;
    for (const runId of this.#dirty) {
      const atMs = this.#pauseEnd(runId);
      if (atMs > nowMs) dueAtMs = Math.min(dueAtMs, atMs);
      else if (runIds.length < this.#atOnce) runIds.push(runId);
      else dueAtMs = nowMs;
    }
    return { ...nothing, runIds, dueAtMs: Number.isFinite(dueAtMs) ? dueAtMs : null };
  }

  /** The call of a page begins: what notifies from now on is not in it. */
  listing(): void {
    this.#mustList = false;
  }

  /** The calls for these runs begin. */
  reading(runIds: readonly string[]): void {
    for (const runId of runIds) this.#dirty.delete(runId);
  }

  /** Takes a page of changed runs. `keep` follows at once. @returns the part of the page that the reader does not have */
  takePage(page: ChangedRuns, nowMs: number): FeedNews {
    const { isReset, gone, live, cursor, hasMore } = page;
    if (isReset) this.#startOver();
    if (hasMore) this.#mustList = true;
    this.#hasMorePages = hasMore;
    const waiting = new Set(isReset ? [] : this.#held?.runIds);
    const runs = page.runs.filter((run) => {
      if (!this.#isNew(run)) return false;
      const mustWait = this.#mustWait(run, nowMs);
      if (mustWait) this.#dirty.add(run.runId);
      if (mustWait) waiting.add(run.runId);
      return !mustWait;
    });
    this.#held = { place: new FeedPlace(cursor), runIds: waiting };
    for (const run of runs) this.#place?.pass(run, !this.#live.has(run.runId));
    const news = this.#newsOf(runs, gone, nowMs, isReset);
    if (isReset) this.#place = new FeedPlace(cursor);
    const later = new Set([...page.runs.map(({ runId }) => runId), ...gone]);
    this.#learn(live, later);
    return news;
  }

  /**
   * Takes some of the newest runs, as they were after the first page. Live runs that the reader has are left out: if one has changed, it
   * comes after its notification and its pause. `keep` follows at once.
   * @param limit how many runs the plan had asked for
   */
  takeNewest(listed: readonly RunRecord[], limit: number, nowMs: number): FeedNews {
    const left = (this.#older?.left ?? 0) - listed.length;
    const isAll = listed.length < limit || left <= 0;
    this.#older = isAll ? null : { before: listed.at(-1)?.ordinal ?? null, left };
    const runs = listed.filter((run) => !this.#live.has(run.runId) && this.#isNew(run));
    for (const run of runs) this.#held?.place.pass(run, !isTerminal(run.runStatus));
    return this.#newsOf(runs, [], nowMs, false);
  }

  /**
   * Takes runs that were read; `null` is for a run that does not exist for the reader. `keep` follows at once.
   * @returns what the reader does not have
   */
  takeRuns(read: ReadonlyMap<string, RunRecord | null>, nowMs: number): FeedNews {
    const runs = [...read.values()].filter((run) => run !== null).filter((run) => this.#isNew(run));
    const gone = [...read.keys()].filter((runId) => read.get(runId) === null);
    for (const run of runs) this.#held?.place.pass(run, false);
    // The reader has these runs as they were read, or gets them now.
    for (const runId of read.keys()) this.#isThere(runId);
    return this.#newsOf(runs, gone, nowMs, false);
  }

  /**
   * Gives the reader the first `count` runs of the news. The other runs count as not sent, and the cursor does not pass them.
   * @returns what the reader gets
   */
  keep(news: FeedNews, count: number): KeptNews {
    for (const run of news.runs.slice(count)) this.#putBack(run);
    const isAll = count === news.runs.length;
    this.#atOnce = Math.min(
      this.#limit,
      READ_AT_ONCE,
      isAll ? 2 * this.#atOnce : Math.max(1, count),
    );
    if (this.#held?.runIds.size === 0) {
      this.#place = this.#held.place;
      this.#held = null;
    }
    const hasMore = this.#hasMorePages || this.#older !== null || this.#late.size > 0;
    return { ...news, runs: news.runs.slice(0, count), hasMore };
  }

  /** The subscriptions that have changed since the last call. */
  takeWatches(): FeedWatches {
    const watches = { begun: [...this.#begun], ended: [...this.#ended] };
    this.#begun.clear();
    this.#ended.clear();
    return watches;
  }

  #newsOf(
    runs: readonly RunRecord[],
    gone: readonly string[],
    nowMs: number,
    isReset: boolean,
  ): FeedNews {
    for (const run of runs) this.#send(run, nowMs);
    for (const runId of gone) this.#forget(runId);
    return { isReset, runs, gone };
  }

  /** Notes that no cursor and no read waits for this run any more: the reader has it, or gets it now. */
  #isThere(runId: string): void {
    this.#late.delete(runId);
    this.#held?.runIds.delete(runId);
  }

  #putBack({ runId, ordinal }: RunRecord): void {
    this.#place?.pass({ runId, ordinal }, false);
    const sent = this.#live.get(runId);
    // No state has the sequence -1, so the next one is new.
    if (sent !== undefined) this.#live.set(runId, { ...sent, lastSequence: -1 });
    this.#over.delete(runId);
    this.#late.add(runId);
    this.#held?.runIds.add(runId);
  }

  /** Whether the reader does not have this state. The time counts too: after a loss, another event may have the same sequence. */
  #isNew({ runId, ordinal, lastSequence: last, updatedAtMs }: RunRecord): boolean {
    const sent = this.#live.get(runId) ?? this.#over.get(runId);
    return (
      sent?.ordinal !== ordinal || sent.lastSequence !== last || sent.updatedAtMs !== updatedAtMs
    );
  }

  #mustWait({ runId, ordinal, runStatus }: RunRecord, nowMs: number): boolean {
    const isSame = this.#live.get(runId)?.ordinal === ordinal;
    return isSame && !isTerminal(runStatus) && this.#pauseEnd(runId) > nowMs;
  }

  #pauseEnd(runId: string): number {
    return (this.#live.get(runId)?.atMs ?? Number.NEGATIVE_INFINITY) + STATE_PAUSE_MS;
  }

  #send(run: RunRecord, atMs: number): void {
    const { runId, runStatus, ordinal, lastSequence, updatedAtMs } = run;
    const sent = { ordinal, lastSequence, updatedAtMs, atMs };
    this.#place?.pass(run, !isTerminal(runStatus) && !this.#live.has(runId));
    this.#isThere(runId);
    this.#over.delete(runId);
    if (!isTerminal(runStatus)) {
      if (!this.#live.has(runId)) {
        if (this.#live.size >= MOST_LIVE) return;
        this.#watch(runId);
      }
      this.#live.set(runId, sent);
      return;
    }
    if (this.#live.delete(runId)) this.#unwatch(runId);
    this.#over.set(runId, sent);
    const [oldest] = this.#over.keys();
    // If its end comes again, it is sent twice.
    if (this.#over.size > MOST_ENDED && oldest !== undefined) this.#over.delete(oldest);
  }

  /** Learns from a page which live runs the reader has, as they are there or later. The runs that this feed has sent are known already. */
  #learn(had: readonly LivePosition[], later: ReadonlySet<string>): void {
    for (const { runId, ...position } of had) {
      if (this.#live.size >= MOST_LIVE) return;
      if (later.has(runId) || this.#live.has(runId)) continue;
      this.#live.set(runId, { ...position, atMs: Number.NEGATIVE_INFINITY });
      this.#watch(runId);
    }
  }

  #forget(runId: string): void {
    this.#isThere(runId);
    this.#over.delete(runId);
    if (this.#live.delete(runId)) this.#unwatch(runId);
  }

  #startOver(): void {
    for (const runId of [...this.#live.keys(), ...this.#over.keys()]) this.#forget(runId);
    this.#late.clear();
    this.#older = this.#newest === 0 ? null : { before: null, left: this.#newest };
  }

  #watch(runId: string): void {
    if (!this.#ended.delete(runId)) this.#begun.add(runId);
  }

  #unwatch(runId: string): void {
    this.#dirty.delete(runId);
    if (!this.#begun.delete(runId)) this.#ended.add(runId);
  }
}
