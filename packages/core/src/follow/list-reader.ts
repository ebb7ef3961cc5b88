import { storeClosed } from "../rules/errors.ts";
import type { StoredEvent } from "../rules/event.ts";
import { utf8Bytes } from "../rules/json-text.ts";
import type { ReadQuery, ReadResult } from "../rules/page.ts";
import type { RunRecord } from "../rules/run.ts";
import type { OwnerWatch, WatchReader } from "./owner-watch.ts";
import { SLICE_BYTES, weighEvent } from "./slice.ts";

/** The most bytes of a whole list. The older runs of a larger list come when they change. */
const LIST_BYTES = 4_194_304;
/** The approximate size of a run without its metadata and its last event, in bytes. */
const RUN_BYTES = 512;
/** The number of runs whose metadata and last events are read at once, at first and at most. Each may have 512 KiB. */
const FIRST_AT_ONCE = 4;
const MOST_AT_ONCE = 64;

/** The start of a reader of a watched list. */
export interface ListReaderOptions {
  /** The version of the list that the reader has; `null` for none. */
  readonly have: string | null;
  /** Whether each run comes with its last event. */
  readonly withLast: boolean;
}

/** A run, with its last event if that was asked for and there is one. */
interface ReadRun {
  readonly run: RunRecord;
  readonly last: StoredEvent | undefined;
}

/** A pending run as it was read. */
interface Taken {
  readonly runId: string;
  /** Whether it is a part of the whole list. */
  readonly isPart: boolean;
  /** `gone` if the list does not have it. `null` if it was removed meanwhile: it is pending again once a look has found that. */
  readonly read: ReadRun | "gone" | null;
}

/** A page that is not full. */
interface Filling {
  /** By their ids, in the order of the page; `null` for one that is gone. A run that changes while the page is filled is taken again. */
  readonly states: Map<string, ReadRun | null>;
  bytes: number;
}

/** A part of what the reader does not have: 48 KiB of runs and last events at most, or one larger run. */
export interface ListPage {
  /**
   * `same` if the list still has the version that the reader has; `whole` if it begins a whole list, and the reader forgets what it had.
   * `null` for what follows.
   */
  readonly begins: "same" | "whole" | null;
  /** Each as it is now, newest first in a whole list. */
  readonly runs: readonly ReadRun[];
  /** The ids of runs that were removed, or have left the list. */
  readonly gone: readonly string[];
  /** The version of the list when this page was begun: some of its runs may be newer. */
  readonly version: string;
  /** Whether the reader has the whole list with this page. Some of its runs may have changed since. */
  readonly isWhole: boolean;
  /** Whether more follows at once. */
  readonly hasMore: boolean;
  /** Whether there are older live runs. */
  readonly more: boolean;
}

/**
 * One reader of a watched list. It begins with the whole list, as of a look that began after the reader. It pulls: while it is busy, the ids of
 * the runs that change gather in a set, and it then gets each of them as it is at that time. A reader that is behind therefore holds only ids,
 * however large the runs are.
 */
export class ListReader implements WatchReader {
  readonly #watch: OwnerWatch;
  readonly #source: { read(query: ReadQuery): Promise<ReadResult | null> };
  readonly #withLast: boolean;
  #have: string | null;
  /** The number of the first look that is new enough for the whole list; `null` once the whole list has begun. */
  #from: number | null;
  /** The runs to send. First are those of the whole list, newest first. */
  #pending = new Set<string>();
  /** The number of the pending runs that are left of the whole list. */
  #left = 0;
  #atOnce = FIRST_AT_ONCE;
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
    source: { read(query: ReadQuery): Promise<ReadResult | null> },
    { have, withLast }: ListReaderOptions,
  ) {
    this.#watch = watch;
    this.#source = source;
    this.#have = have;
    this.#withLast = withLast;
    this.#from = watch.next;
    watch.join(this);
  }

  /**
   * Resolves with what the reader does not have, once there is something. Do not call it again before it has settled, nor after it has
   * rejected.
   * @throws RunEventsError `store_unavailable`
   */
  async next(): Promise<ListPage> {
    const { list } = this.#watch;
    for (;;) {
      this.#over.signal.throwIfAborted();
      const begins = this.#begin();
      const isNew = begins !== null || this.#pending.size > 0 || this.#version !== list.version;
      if (this.#from === null && isNew) return await this.#page(begins);
      await new Promise<void>((resolve) => (this.#onWake = resolve));
    }
  }

  /** Starts over with the whole list, as it is known now. */
  startOver(): void {
    this.#have = null;
    this.#from = this.#watch.ended;
  }

  change(runId: string): void {
    this.#pending.add(runId);
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

  /** Begins the whole list, once a look has ended that began after the reader. */
  #begin(): ListPage["begins"] {
    const { list, ended } = this.#watch;
    if (this.#from === null || ended < this.#from) return null;
    this.#from = null;
    this.#version = null;
    const isSame = this.#have === list.version;
    this.#pending = new Set(isSame ? [] : list.newestFirst());
    this.#left = this.#pending.size;
    this.#bytes = 0;
    this.#isCut = false;
    return isSame ? "same" : "whole";
  }

  /** Sends as many pending runs as fit in a page. The version belongs to these states, or is an older one. */
  async #page(begins: ListPage["begins"]): Promise<ListPage> {
    const { version, more } = this.#watch.list;
    const page: Filling = { states: new Map(), bytes: 0 };
    for (let isFull = false; !isFull && this.#pending.size > 0;) {
      const some = await this.#readSome();
      const taken = this.#fill(page, some);
      isFull = taken < some.length;
      this.#putBack(some.slice(taken));
      this.#atOnce = Math.max(1, Math.min(MOST_AT_ONCE, isFull ? taken : 2 * taken));
    }
    const runs = [...page.states.values()].filter((read) => read !== null);
    const gone = [...page.states].flatMap(([runId, read]) => (read === null ? [runId] : []));
    if (this.#left > 0 && this.#bytes > LIST_BYTES) this.#cut();
    // Only if the version has not changed meanwhile is it that of the runs sent: after a loss, the list may come back to an earlier one.
    const hasMore = this.#pending.size > 0 || this.#watch.list.version !== version;
    if (!hasMore) this.#version = version;
    const isWhole = this.#left === 0;
    return { begins, runs, gone, version, isWhole, hasMore, more: more || this.#isCut };
  }

  /** Adds to a page the runs that fit. @returns their number */
  #fill(page: Filling, some: readonly Taken[]): number {
    for (const [at, { runId, isPart, read }] of some.entries()) {
      const weight = weigh(read);
      if (page.bytes > 0 && page.bytes + weight > SLICE_BYTES) return at;
      page.bytes += weight;
      if (isPart) this.#bytes += weight;
      if (read === "gone") {
        if (!isPart) page.states.set(runId, null);
      } else if (read !== null) page.states.set(runId, read);
    }
    return some.length;
  }

  /** Takes the first pending runs, and reads what a page lacks of them. */
  async #readSome(): Promise<readonly Taken[]> {
    const ids = [...this.#pending].slice(0, this.#atOnce);
    const parts = Math.min(this.#left, ids.length);
    this.#left -= parts;
    for (const runId of ids) this.#pending.delete(runId);
    const read = await Promise.all(
      ids.map(async (runId, at) => ({ runId, isPart: at < parts, read: await this.#read(runId) })),
    );
    this.#over.signal.throwIfAborted();
    return read;
  }

  /** Makes pending again what does not fit, before what has come since. */
  #putBack(rest: readonly Taken[]): void {
    if (rest.length === 0) return;
    this.#pending = new Set([...rest.map(({ runId }) => runId), ...this.#pending]);
    this.#left += rest.filter(({ isPart }) => isPart).length;
  }

  /** Leaves out the rest of the whole list. */
  #cut(): void {
    this.#pending = new Set([...this.#pending].slice(this.#left));
    this.#left = 0;
    this.#isCut = true;
  }

  /** Reads a run with its metadata and its last event. */
  async #read(runId: string): Promise<Taken["read"]> {
    const head = this.#watch.list.head(runId);
    if (head === null) return "gone";
    const run = await this.#watch.whole(head);
    if (run === null) return null;
    const { ownerId, lastSequence } = run;
    if (!this.#withLast || lastSequence === 0) return { run, last: undefined };
    const since = lastSequence - 1;
    const result = await this.#source.read({ runId, ownerId, since, limit: 1, maxBytes: 1 });
    return { run, last: result?.events[0] };
  }
}

function weigh(read: Taken["read"]): number {
  if (read === null || read === "gone") return RUN_BYTES;
  const { run, last } = read;
  return RUN_BYTES + utf8Bytes(run.metadata) + (last === undefined ? 0 : weighEvent(last));
}
