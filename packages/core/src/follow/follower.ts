import { clampCursor } from "../rules/cursor.ts";
import { RunEventsError, runNotFound } from "../rules/errors.ts";
import { checkHistory, historyChanged, timeAtSince } from "../rules/history.ts";
import { EVENT_ENVELOPE_BYTES, type ReadQuery, type ReadResult } from "../rules/page.ts";
import type { RunName } from "../rules/head.ts";
import type { RunRecord } from "../rules/run.ts";
import type { HeadState } from "../rules/shown-state.ts";
import { tailStart } from "../rules/tail-start.ts";
import type { Subscription } from "../store/store.ts";
import { type FollowerReader, ReaderSet } from "./reader-set.ts";
import { LogEnd } from "./log-end.ts";
import {
  createSlice,
  fitSlice,
  type Position,
  type Slice,
  SLICE_BYTES,
  weighEvent,
} from "./slice.ts";

/** The part of a store that a follower needs. */
export interface FollowerSource {
  read(query: ReadQuery): Promise<ReadResult | null>;
  subscribe(name: RunName, onNotification: () => void): Subscription;
  /** Called when a recheck finds events that no notification had announced. Missing if nothing listens. */
  readonly onMissed?: (() => void) | undefined;
}

/** The most events of a read: as many as fit, since a store may read up to the limit before it cuts. */
const READ_LIMIT = Math.floor(SLICE_BYTES / EVENT_ENVELOPE_BYTES);

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
 * | reading | the event `#end` is gone or another       | quiet            | it goes on at the new end, and every reader is notified    |
 * | any     | the run was deleted; a read fails; `fail` | retired          | every reader is notified, and its `next` throws            |
 * | any     | the last reader leaves                    | retired          |                                                            |
 * | retired | the answer of a read that was under way   | retired          | it is dropped                                              |
 *
 * `#dirty` remembers a notification; `#ordinal` is 0 in the state `new`. Readers open, leave and stall in every state, even while a
 * read is under way. A retired follower's subscription has stopped; its readers can still leave.
 *
 * A store may lose the end of its log, as after a failover, and others may append there. Each position has the time of its event. So a
 * read finds out, however late it comes: the read after `#end`, and a page's after its reader. Only readers whose last event is gone get
 * `history_changed`. The others go on. A reader that does not fit in with the follower may know more than it: then the next read decides.
 *
 * Each followed run has one such object, so fields that a quiet run does not need are `null`.
 */
export class Follower {
  readonly #name: RunName;
  readonly #source: FollowerSource;
  readonly #onRetire: () => void;
  readonly #subscription: Subscription;
  readonly #readers = new ReaderSet();
  /** The reads under way for readers that lag, by their positions; `null` before the first. Readers at one position share a read. */
  #pages: Map<string, Promise<Slice | null>> | null = null;
  /** The run's ordinal, once it has been read; 0 before. @see RunRecord.ordinal */
  #ordinal = 0;
  /** The end of the log, as far as it was read. */
  readonly #end: LogEnd;
  #failure: { readonly error: unknown } | null = null;
  #dirty = false;
  /** Whether the next or the current read is a recheck, without a notification since. */
  #isRecheck = false;
  /** Whether a reader waits for the next read to decide whether its history is the same. */
  #isAwaited = false;
  #reading = false;
  #retired = false;

  /**
   * Subscribes to the run.
   * @param budget as `LogEnd` has it
   * @param onRetire called once, when it takes no new readers: the last reader has left, or it has failed
   */
  constructor(
    name: RunName,
    source: FollowerSource,
    budget: { left: number },
    onRetire: () => void,
  ) {
    this.#name = { ownerId: name.ownerId, runId: name.runId };
    this.#source = source;
    this.#end = new LogEnd(budget);
    this.#onRetire = onRetire;
    this.#subscription = source.subscribe(this.#name, () => this.refresh());
  }

  /**
   * Adds the reader, then finds its position. The position comes from a read after the subscription is ready, so that no later commit is
   * missed.
   * @param atMs the time of the event `since`, if the reader has it
   * @param tail begins so many events before the end, in place of `since`
   * @returns the run's head, for the reader's first frame
   * @throws RunEventsError `not_found`, `cursor_ahead`, `history_changed`, `store_unavailable`; the reader has then left
   */
  async open(
    reader: FollowerReader,
    since: number,
    atMs: number | null = null,
    tail?: number,
  ): Promise<RunRecord> {
    this.#readers.add(reader);
    try {
      const from =
        tail === undefined ? since : tailStart((await this.#readHead(0)).run.lastSequence, tail);
      const result = await this.#readHead(from);
      const { run } = result;
      if (this.#ordinal !== 0 && run.ordinal > this.#ordinal) throw this.#replaced();
      // This read is older than the follower's run: the run that it saw was deleted.
      if (this.#ordinal !== 0 && run.ordinal < this.#ordinal) throw runNotFound();
      if (atMs !== null) checkHistory(result, atMs);
      const cursor = clampCursor(from, run);
      if (this.#ordinal === 0) {
        this.#ordinal = run.ordinal;
        this.#end.startAt(run);
      }
      this.#end.noteHead(run);
      // A notification before the first read found no head to start from, and this read may have seen more than the follower.
      if (this.#dirty || !this.#end.isOf(run)) this.refresh();
      reader.position = { sequence: cursor, atMs: timeAtSince(result, cursor) };
      return run;
    } catch (error) {
      this.leave(reader);
      throw error;
    }
  }

  /** The run's state as far as it is known, as a stream may send it at this sequence before the run's end. */
  standingAt(sequence: number): HeadState {
    return this.#end.standingAt(sequence);
  }

  /**
   * The slice after the reader's position, at once if it is in memory. `null` if nothing is there yet: a notification will follow. A
   * promise of `null` asks the reader to call again. It does not move the reader.
   * @throws RunEventsError why the follower has ended; `history_changed` if the reader's last event is not in the log any more
   */
  next({ position }: FollowerReader): Slice | Promise<Slice | null> | null {
    if (this.#failure !== null) throw this.#failure.error;
    if (position === null || this.#ordinal === 0) return null;
    if (!this.#end.fits(position)) {
      this.#awaitRead();
      return null;
    }
    if (position.sequence >= this.#end.sequence) {
      if (this.#end.isOver(position)) return createSlice(position, [], this.#end.head);
      // The log was not read while all readers were stalled.
      if (this.#dirty) this.refresh();
      return null;
    }
    return this.#end.sliceAfter(position) ?? this.#page(position);
  }

  /** Removes the reader. A follower without readers stops. Idempotent. */
  leave(reader: FollowerReader): void {
    this.#readers.delete(reader);
    if (this.#readers.size === 0) this.#retire();
  }

  /** Reads on from the log, as after a notification. @param isRecheck whether none has come */
  refresh(isRecheck = false): void {
    this.#isRecheck = isRecheck && !this.#dirty && !this.#reading;
    this.#dirty = true;
    if (!this.#reading && this.#ordinal !== 0) void this.#readOn();
  }

  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#retire();
    this.#readers.notify();
  }

  /** Reads the head for a reader that opens, once every later commit notifies. */
  async #readHead(since: number): Promise<ReadResult> {
    await this.#subscription.ready;
    return this.#read({ since, limit: 0, maxBytes: 1 });
  }

  async #readOn(): Promise<void> {
    this.#reading = true;
    while (this.#dirty && !this.#retired && this.#readers.hasTaker()) {
      this.#dirty = false;
      try {
        const before = this.#end.head;
        this.#receive(await this.#readAfter(this.#end.sequence), before);
      } catch (error) {
        this.fail(error);
      }
    }
    this.#reading = false;
    // While it is dirty, all readers are stalled, and this is not decided.
    if (!this.#isAwaited || this.#dirty) return;
    this.#isAwaited = false;
    this.#readers.notify();
  }

  /** Waits for the read that decides which history is right: the reader may have opened with a newer one than the follower's last. */
  #awaitRead(): void {
    if (!this.#dirty && !this.#reading) throw historyChanged(this.#end.head.lastSequence);
    this.#isAwaited = true;
    if (this.#dirty) this.refresh();
  }

  /** Adds the result of a read. Meanwhile readers may have opened or left, and another notification may have come. */
  #receive(result: ReadResult, before: HeadState): void {
    if (this.#retired) return;
    this.#checkRun(result);
    const { run, events, timeAtSinceMs } = result;
    if ((timeAtSinceMs ?? 0) !== this.#end.atMs) {
      // The events in memory belong to the history that is gone.
      this.#end.startAt(run);
      this.#isAwaited = true;
      return;
    }
    this.#end.add(events, run, before);
    if (events.length > 0) this.#readers.notify();
    if (events.length > 0 && this.#isRecheck) this.#source.onMissed?.();
    this.#isRecheck = false;
    if (this.#end.sequence < this.#end.head.lastSequence) this.#dirty = true;
    this.#end.trim(this.#readers.least(this.#end.sequence));
  }

  /** Little at a time, so that the reads of many runs are sent together; the rest is read next. */
  #readAfter(since: number): Promise<ReadResult> {
    return this.#read({ since, limit: READ_LIMIT, maxBytes: SLICE_BYTES });
  }

  async #read(query: Pick<ReadQuery, "since" | "limit" | "maxBytes">): Promise<ReadResult> {
    const result = await this.#source.read({ ...this.#name, ...query, withTime: true });
    if (result === null) throw runNotFound();
    return result;
  }

  /** Another ordinal is another run: this one was deleted, and its id used again. */
  #checkRun({ run }: ReadResult): void {
    if (run.ordinal !== this.#ordinal) throw runNotFound();
  }

  #retire(): void {
    if (this.#retired) return;
    this.#retired = true;
    this.#end.trim(this.#end.sequence);
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

  /** The slice after a position that is not in memory; `null` if the log ends there. */
  #page(from: Position): Promise<Slice | null> {
    this.#pages ??= new Map();
    const pages = this.#pages;
    // Readers of two histories share no page: the read finds out which of them is right.
    const key = `${from.sequence} ${from.atMs}`;
    const underWay = pages.get(key);
    if (underWay !== undefined) return underWay;
    const page = this.#readPage(from).finally(() => pages.delete(key));
    pages.set(key, page);
    return page;
  }

  async #readPage(from: Position): Promise<Slice | null> {
    const page = await this.#readAfter(from.sequence);
    this.#checkRun(page);
    checkHistory(page, from.atMs);
    const { run, events } = page;
    // A store that has lost only its head's events: no read could go on.
    if (events.length === 0 && run.lastSequence > from.sequence)
      throw historyChanged(run.lastSequence);
    this.#end.noteHead(run);
    if (run.lastSequence > this.#end.sequence || events.length === 0) this.refresh();
    return events.length === 0 ? null : createSlice(from, fitSlice(events, 0, weighEvent), run);
  }
}
