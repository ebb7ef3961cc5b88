import { storeClosed } from "../rules/errors.ts";
import type { StoredEvent } from "../rules/event.ts";
import type { RunRecord } from "../rules/run.ts";
import { fitRuns, weighRun } from "./fit-runs.ts";
import { readLastEvents } from "./last-events.ts";
import type { OwnerWatch, WatchReader, WatchSource } from "./owner-watch.ts";

/** The most bytes of metadata and last events of a whole list. The older runs of a larger list come when they change. */
const LIST_BYTES = 4_194_304;
/** The most runs of a page. */
const PAGE_RUNS = 128;
/** The most runs of a page whose metadata has to be read: each may have 256 KiB. */
const READ_AT_ONCE = 16;
/** The number of runs whose last events are read at once: an event may have 256 KiB, and those that do not fit are read in vain. */
const LAST_AT_ONCE = 4;

/** The start of a reader of a watched list. */
export interface ListReaderOptions {
  /** The version of the list that the reader has; `null` for none. */
  readonly have: string | null;
  /** Whether each run comes with its last event. */
  readonly withLast: boolean;
}

/** A part of what the reader does not have: 256 KiB of metadata and last events at most, or one larger run. */
export interface ListPage {
  /**
   * `same` if the list still has the version that the reader has; `whole` if it begins a whole list, and the reader forgets what it had.
   * `null` for what follows.
   */
  readonly begins: "same" | "whole" | null;
  /** Each as it is now, newest first in a whole list. */
  readonly runs: readonly RunRecord[];
  /** The ids of runs that were removed, or have left the list. */
  readonly gone: readonly string[];
  /** The last event of each run in `runs` that has one, by the run's id, if it was asked for. */
  readonly last: ReadonlyMap<string, StoredEvent>;
  /** The version of the list when this page was begun: some of its runs may be newer. */
  readonly version: string;
  /** Whether the reader has the whole list with this page. Some of its runs may have changed since. */
  readonly isWhole: boolean;
  /** Whether more follows at once. */
  readonly hasMore: boolean;
  /** Whether there are older live runs. */
  readonly more: boolean;
}

/** The parts of a page. */
interface Taken extends Omit<ListPage, "last" | "isWhole" | "hasMore"> {
  /** Whether it is a part of a whole list. */
  readonly isPart: boolean;
}

/**
 * One reader of a watched list. It pulls: while it is busy, the ids of the runs that change gather in a set, and it then gets each of them
 * as it is at that time. So a page that the reader has not taken yet is small, however large the runs are.
 *
 * | state    | event                               | next     | what happens                                                      |
 * | -------- | ----------------------------------- | -------- | ----------------------------------------------------------------- |
 * | starting | a look ends that began before it    | starting |                                                                   |
 * | starting | a look ends that began after it     | reading  | all runs are pending, unless the list has the version that it has |
 * | reading  | `next`, runs are pending            | reading  | as many as fit in a page                                          |
 * | reading  | `next`, nothing is pending          | reading  | it waits                                                          |
 * | reading  | a run changes                       | reading  | the run is pending                                                |
 * | reading  | `startOver`                         | starting | the last look will do                                             |
 * | any      | a read fails, the watch fails, `leave` | over  | `next` rejects                                                    |
 */
export class ListReader implements WatchReader {
  readonly #watch: OwnerWatch;
  readonly #source: Pick<WatchSource, "read">;
  readonly #withLast: boolean;
  #have: string | null;
  /** The look that its whole list must not be older than; `null` once it has begun. */
  #from: number | null;
  /** The runs of the whole list that were not sent yet, newest first. */
  readonly #unsent = new Set<string>();
  readonly #changed = new Set<string>();
  /** The number of runs to read for a page: if some did not fit, as many as did fit, and then twice as many each time. */
  #atOnce = READ_AT_ONCE;
  /** The bytes of the whole list so far, and whether it was cut there. */
  #bytes = 0;
  #isCut = false;
  /** The version that the reader has. */
  #version: string | null = null;
  /** Aborts when the reader is over, with the reason. */
  readonly #over = new AbortController();
  #onWake: () => void = () => {};

  constructor(
    watch: OwnerWatch,
    source: Pick<WatchSource, "read">,
    { have, withLast }: ListReaderOptions,
  ) {
    this.#watch = watch;
    this.#source = source;
    this.#have = have;
    this.#withLast = withLast;
    this.#from = watch.next;
    watch.join(this);
  }

  get isStarting(): boolean {
    return this.#from !== null;
  }

  /**
   * Resolves with what the reader does not have, once there is something. Do not call it again before it has settled, nor after it has
   * rejected.
   * @throws RunEventsError `store_unavailable`
   */
  async next(): Promise<ListPage> {
    for (;;) {
      this.#over.signal.throwIfAborted();
      const taken = this.#take();
      if (taken !== null) return await this.#fill(taken);
      await new Promise<void>((resolve) => (this.#onWake = resolve));
    }
  }

  /** Begins again with the whole list, as it is known now. */
  startOver(): void {
    this.#have = null;
    this.#from = this.#watch.ended;
  }

  change(runId: string): void {
    this.#changed.add(runId);
  }

  wake(): void {
    this.#onWake();
  }

  /** Ends the reader. Idempotent. */
  leave(): void {
    this.fail(storeClosed());
  }

  /** Ends the reader with an error. Idempotent. */
  fail(failure: unknown): void {
    if (this.#over.signal.aborted) return;
    this.#over.abort(failure);
    this.#watch.leave(this);
    this.wake();
  }

  /** Takes the pending changes; `null` without any. The version belongs to these states, or is an older one. */
  #take(): Taken | null {
    const { list } = this.#watch;
    const begins = this.#begin();
    if (this.isStarting) return null;
    const { version } = list;
    const pending = this.#unsent.size > 0 ? this.#unsent : this.#changed;
    if (begins === null && pending.size === 0 && version === this.#version) return null;
    const isPart = pending === this.#unsent;
    const runs: RunRecord[] = [];
    const gone: string[] = [];
    let unread = 0;
    for (const runId of pending) {
      const head = list.head(runId);
      unread += head?.metadata === "" ? 1 : 0;
      if (unread > this.#atOnce || runs.length + gone.length === PAGE_RUNS) break;
      pending.delete(runId);
      if (isPart) this.#changed.delete(runId);
      if (head !== null) runs.push(head);
      else if (!isPart) gone.push(runId);
    }
    return { begins, isPart, runs, gone, version, more: list.more };
  }

  /** Begins the whole list, once a look has ended that began after the reader. */
  #begin(): ListPage["begins"] {
    const { list, ended } = this.#watch;
    if (this.#from === null || ended < this.#from) return null;
    this.#from = null;
    this.#changed.clear();
    this.#unsent.clear();
    this.#bytes = 0;
    this.#isCut = false;
    this.#version = null;
    if (this.#have === list.version) return "same";
    for (const runId of list.newestFirst()) this.#unsent.add(runId);
    return "whole";
  }

  /** Reads what a page lacks. What does not fit is pending again. */
  async #fill({ isPart, ...page }: Taken): Promise<ListPage> {
    const read = await this.#watch.withMetadata(page.runs);
    this.#over.signal.throwIfAborted();
    const last = await this.#lastOf(read);
    this.#over.signal.throwIfAborted();
    const runs = fitRuns(read, last);
    const left = read.slice(runs.length).map(({ runId }) => runId);
    this.#atOnce = left.length > 0 ? runs.length : Math.min(READ_AT_ONCE, 2 * this.#atOnce);
    if (isPart) this.#goOn(left, runs, last);
    else for (const runId of left) this.#changed.add(runId);
    const sent = new Set(runs.map(({ runId }) => runId));
    const hasMore = this.#unsent.size + this.#changed.size > 0;
    if (!hasMore) this.#version = page.version;
    return {
      ...page,
      runs,
      last: new Map([...last].filter(([runId]) => sent.has(runId))),
      isWhole: this.#unsent.size === 0,
      hasMore,
      more: page.more || this.#isCut,
    };
  }

  /** Goes on with a whole list after these runs, or cuts it where it has `LIST_BYTES`. */
  #goOn(
    left: readonly string[],
    sent: readonly RunRecord[],
    last: ReadonlyMap<string, StoredEvent>,
  ): void {
    for (const run of sent) this.#bytes += weighRun(run, last);
    const rest = [...left, ...this.#unsent];
    this.#unsent.clear();
    this.#isCut = rest.length > 0 && this.#bytes > LIST_BYTES;
    if (!this.#isCut) for (const runId of rest) this.#unsent.add(runId);
  }

  /** Reads the last events of the first runs, as many as fit in a page. */
  async #lastOf(runs: readonly RunRecord[]): Promise<ReadonlyMap<string, StoredEvent>> {
    const last = new Map<string, StoredEvent>();
    if (!this.#withLast) return last;
    for (let read = 0; ; read += LAST_AT_ONCE) {
      const fits = fitRuns(runs, last).length;
      if (read >= fits) return last;
      const piece = runs.slice(read, Math.min(fits, read + LAST_AT_ONCE));
      const events = await readLastEvents((query) => this.#source.read(query), piece);
      for (const [runId, event] of events) last.set(runId, event);
    }
  }
}
