import { clampCursor, cursorAhead } from "../rules/cursor.ts";
import { RunEventsError, runNotFound } from "../rules/errors.ts";
import { isTerminal } from "../rules/lifecycle.ts";
import { stateAtSince, type ReadQuery, type ReadResult } from "../rules/page.ts";
import type { RunRecord } from "../rules/run.ts";
import type { Subscription } from "../store/store.ts";
import { createPages, type Pages, type SliceBudget } from "./pages.ts";
import { type RecentBudget, RecentEvents } from "./recent-events.ts";
import { createSlice, type Position, type Slice, SLICE_BYTES } from "./slice.ts";

const READ_LIMIT = 1_000;
/** The most readers that are checked for a lag each time one has caught up. */
const FEW_READERS = 8;

/** The part of a store that a follower needs. */
export interface FollowerSource {
  read(query: ReadQuery): Promise<ReadResult | null>;
  subscribe(runId: string, onNotification: () => void): Subscription;
}

/** What the followers of a process may keep in memory together. */
export interface FollowerBudgets {
  readonly slices: SliceBudget;
  readonly recent: RecentBudget;
}

/** A reader of a follower: a cursor, and a function that notifies it. */
export interface FollowerReader {
  /** The reader's position; `null` until it has opened. */
  position: Position | null;
  /** Whether it takes nothing now. It calls `next` by itself when it takes again; until then the log is not read for it. */
  readonly stalled: boolean;
  /** Called synchronously when `next` may have something new, possibly for nothing. */
  readonly onNotification: () => void;
}

/**
 * Follows one run. A notification carries no data, the log is the truth, and each reader is a cursor on it. New events are read once
 * for all readers. A reader that lags behind the events in memory reads the log by pages.
 *
 * | state   | event                                     | next             | what happens                                               |
 * | ------- | ----------------------------------------- | ---------------- | ---------------------------------------------------------- |
 * | new     | a notification                            | new              | it is remembered                                           |
 * | new     | the first read of a reader that opens     | quiet            | the run's ordinal and its end are known                    |
 * | quiet   | a notification, and a reader takes        | reading          | what comes after `#end` is read                            |
 * | quiet   | a notification, and all are stalled       | waiting          | it is remembered                                           |
 * | waiting | a reader that has caught up asks for more | reading          |                                                            |
 * | reading | a notification                            | reading          | it is remembered: once this read is over, there is another |
 * | reading | the read's answer                         | quiet            | its events are kept, and every reader is notified          |
 * | reading | the same, and there is more               | reading, waiting | the same                                                   |
 * | any     | the run was deleted; a read fails; `fail` | retired          | every reader is notified, and its `next` throws            |
 * | any     | the last reader leaves                    | retired          |                                                            |
 * | retired | the answer of a read that was under way   | retired          | it is dropped                                              |
 *
 * `#dirty` remembers a notification; `#ordinal` is 0 in the state `new`. Readers open, leave and stall in every state, even while a
 * read is under way. A retired follower's subscription has stopped; its readers can still leave.
 *
 * Each followed run has one such object, so fields that a quiet run does not need are `null`.
 */
export class Follower {
  readonly #runId: string;
  readonly #source: FollowerSource;
  readonly #budgets: FollowerBudgets;
  readonly #onRetire: () => void;
  readonly #subscription: Subscription;
  readonly #readers = new Set<FollowerReader>();
  /** For readers that lag; `null` while no reader does. */
  #pages: Pages | null = null;
  /** The last events up to `#end`; `null` while every reader has them. */
  #recent: RecentEvents | null = null;
  /** Which run this is, once it has been read: 0 before. @see RunRecord.ordinal */
  #ordinal = 0;
  /** The head as of the last read. Reads of the log end there, or before. */
  #head = 0;
  #end = 0;
  #failure: { readonly error: unknown } | null = null;
  /** Whether the subscription is ready: every later commit notifies. */
  #isReady = false;
  #dirty = false;
  #reading = false;
  #retired = false;

  /**
   * Subscribes to the run.
   * @param budgets shared by all runs
   * @param onRetire called once, when it takes no new readers: the last reader has left, or it has failed
   */
  constructor(
    runId: string,
    source: FollowerSource,
    budgets: FollowerBudgets,
    onRetire: () => void,
  ) {
    this.#runId = runId;
    this.#source = source;
    this.#budgets = budgets;
    this.#onRetire = onRetire;
    this.#subscription = source.subscribe(runId, () => this.refresh());
  }

  /**
   * Adds the reader, then finds its position. The owner is checked first. The position comes from a read after the subscription is
   * ready, so that no later commit is missed.
   * @returns the run's head, for the reader's first frame
   * @throws RunEventsError `not_found`, `cursor_ahead`, `store_unavailable`; the reader has then left
   */
  async open(reader: FollowerReader, since: number, ownerId: string | null): Promise<RunRecord> {
    this.#readers.add(reader);
    try {
      const result = await this.#readHead(since, ownerId);
      const { run } = result;
      if (this.#ordinal !== 0 && run.ordinal > this.#ordinal) throw this.#replaced();
      // This read is older than the follower's run: the run that it saw was deleted.
      if (this.#ordinal !== 0 && run.ordinal < this.#ordinal) throw runNotFound();
      const cursor = clampCursor(since, run);
      if (this.#ordinal === 0) {
        this.#ordinal = run.ordinal;
        this.#head = run.lastSequence;
        this.#end = run.lastSequence;
      }
      // A notification before the first read found no head to start from, and this read may have seen more than the follower.
      if (this.#dirty || run.lastSequence > this.#end) this.refresh();
      reader.position = { sequence: cursor, ...stateAtSince(result, cursor) };
      return run;
    } catch (error) {
      this.leave(reader);
      throw error;
    }
  }

  /**
   * The slice after the reader's position, at once if it is in memory. `null` if nothing is there yet: a notification will follow. It
   * does not move the reader.
   * @throws RunEventsError why the follower has ended
   */
  next({ position }: FollowerReader): Slice | Promise<Slice> | null {
    if (this.#failure !== null) throw this.#failure.error;
    if (position === null || this.#ordinal === 0) return null;
    if (position.sequence >= this.#end) {
      // A reader that has caught up needs no pages. With many readers, the next read lets go of them.
      if (this.#pages !== null && this.#readers.size <= FEW_READERS && !this.#hasLaggard())
        this.#closePages();
      if (isTerminal(position.runStatus)) return createSlice(position, [], this.#head);
      // The log was not read while all readers were stalled.
      if (this.#dirty) this.refresh();
      return null;
    }
    if (this.#recent !== null && position.sequence >= this.#recent.base)
      return this.#recent.sliceAfter(position, this.#head);
    this.#pages ??= createPages((query) => this.#readPage(query), this.#budgets.slices);
    return this.#pages.next(position);
  }

  /** Whether `next` would have to read the log for this reader. */
  mustRead({ position }: FollowerReader): boolean {
    if (this.#failure !== null || position === null || position.sequence >= this.#end) return false;
    if (this.#recent !== null && position.sequence >= this.#recent.base) return false;
    return this.#pages?.has(position) !== true;
  }

  /** Removes the reader. A follower without readers stops. Idempotent. */
  leave(reader: FollowerReader): void {
    this.#readers.delete(reader);
    if (this.#readers.size === 0) this.#retire();
  }

  /** Reads on from the log, as after a notification. */
  refresh(): void {
    this.#dirty = true;
    if (!this.#reading && this.#ordinal !== 0) void this.#readOn();
  }

  /** Ends every reader with this error. */
  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#retire();
    this.#notifyReaders();
  }

  /** The read that opens a reader. It needs only the head and the phase at the cursor, but a read takes at least one event. */
  async #readHead(since: number, ownerId: string | null): Promise<ReadResult> {
    const query = { runId: this.#runId, ownerId, since, limit: 1, maxBytes: 1 };
    // A read refuses another owner first. Otherwise the time until a subscription is ready would reveal whether the run is followed.
    // If the subscription is ready already, this read also counts as the one after it.
    const wasReady = this.#isReady;
    let result = ownerId !== null || wasReady ? await this.#source.read(query) : null;
    if (!wasReady && (result !== null || ownerId === null)) {
      await this.#subscription.ready;
      this.#isReady = true;
      result = await this.#source.read(query);
    }
    if (result === null) throw runNotFound();
    return result;
  }

  async #readOn(): Promise<void> {
    this.#reading = true;
    while (this.#dirty && !this.#retired && this.#hasTaker()) {
      this.#dirty = false;
      try {
        // Little at a time, so that the reads of many runs are sent together; the rest is read next.
        const query = { since: this.#end, limit: READ_LIMIT, maxBytes: SLICE_BYTES };
        this.#receive(await this.#source.read({ runId: this.#runId, ownerId: null, ...query }));
      } catch (error) {
        this.fail(error);
      }
    }
    this.#reading = false;
  }

  #closePages(): void {
    this.#pages?.close();
    this.#pages = null;
  }

  #hasLaggard(): boolean {
    for (const { position } of this.#readers)
      if (position !== null && position.sequence < this.#end) return true;
    return false;
  }

  #hasTaker(): boolean {
    for (const { stalled } of this.#readers) if (!stalled) return true;
    return false;
  }

  /** Adds the result of a read. Meanwhile readers may have opened or left, and another notification may have come. */
  #receive(result: ReadResult | null): void {
    if (this.#retired) return;
    const { run, events } = this.#checked(result);
    if (run.lastSequence < this.#end) throw cursorAhead(run.lastSequence);
    this.#head = run.lastSequence;
    if (events.length > 0) {
      this.#recent ??= new RecentEvents(this.#end, this.#budgets.recent);
      this.#recent.add(events);
      this.#end = events.at(-1)?.sequence ?? this.#end;
      this.#notifyReaders();
    }
    this.#pages?.clear();
    if (this.#end < this.#head) this.#dirty = true;
    this.#trim();
  }

  #checked(result: ReadResult | null): ReadResult {
    // Another ordinal is another run: this one was deleted, and its id used again.
    if (result === null || (this.#ordinal !== 0 && result.run.ordinal !== this.#ordinal))
      throw runNotFound();
    return result;
  }

  #notifyReaders(): void {
    for (const reader of this.#readers) reader.onNotification();
  }

  /** Lets go of the events in memory that no reader needs any more. */
  #trim(): void {
    if (this.#recent === null) return;
    let least = this.#end;
    for (const { position } of this.#readers)
      if (position !== null && position.sequence < least) least = position.sequence;
    this.#recent.trim(least);
    if (this.#recent.isEmpty) this.#recent = null;
  }

  #retire(): void {
    if (this.#retired) return;
    this.#retired = true;
    this.#closePages();
    this.#recent?.trim(this.#end);
    this.#subscription.stop();
    this.#onRetire();
  }

  /** The run was deleted and its id used again: its readers end, and the new reader may try again. */
  #replaced(): RunEventsError {
    this.fail(runNotFound());
    return new RunEventsError(
      "store_unavailable",
      "Expected one run while it was opened, but it was deleted, and its id used again. Try again.",
    );
  }

  async #readPage(query: Pick<ReadQuery, "since" | "limit" | "maxBytes">): Promise<ReadResult> {
    const result = await this.#source.read({ runId: this.#runId, ownerId: null, ...query });
    const page = this.#checked(result);
    if (page.events.length === 0) throw cursorAhead(page.run.lastSequence);
    if (page.run.lastSequence > this.#end) this.refresh();
    return page;
  }
}
