import { clampCursor, cursorAhead } from "../rules/cursor.ts";
import { RunEventsError, runNotFound } from "../rules/errors.ts";
import type { StoredEvent } from "../rules/event.ts";
import { isTerminal } from "../rules/lifecycle.ts";
import { stateAtSince, type ReadQuery, type ReadResult } from "../rules/page.ts";
import type { RunRecord } from "../rules/run.ts";
import type { Watch } from "../store/store.ts";
import { createPages, type Pages, type SliceBudget } from "./pages.ts";
import {
  createSlice,
  fitSlice,
  type Position,
  type Slice,
  SLICE_BYTES,
  weighEvent,
} from "./slice.ts";

/** How much of a log's end a follower keeps for readers that lag a little, counted as `eventBytes` does. */
const RING_BYTES = 262_144;
const READ_LIMIT = 1_000;
/** Up to how many readers are asked, each time one has caught up, whether any lags. */
const FEW_READERS = 8;

/** An event of the ring. */
interface KeptEvent {
  readonly event: StoredEvent;
  readonly weight: number;
}

/** What a follower needs of the store. */
export interface FollowerSource {
  read(query: ReadQuery): Promise<ReadResult | null>;
  watch(runId: string, wake: () => void): Watch;
}

/** A reader of a follower: a cursor and a bell, nothing else. */
export interface FollowerReader {
  /** Where the reader stands; `null` until it has opened. */
  position: Position | null;
  /** Whether it takes nothing now, and will ask for `next` by itself when it does: the log is not read for its sake. */
  readonly stalled: boolean;
  /** Called when `next` may have something new, synchronously, possibly for nothing. */
  readonly wake: () => void;
}

/** One run's follower in this process, shared by all its readers. */
export interface Follower {
  /**
   * Adds the reader, then finds its place: the owner is checked first; the read that counts comes after the watch is ready, so
   * that nothing committed from now on is missed.
   * @returns the run's head, for what a reader is told first
   * @throws RunEventsError `not_found`, `cursor_ahead`, `store_unavailable`; the reader has then left.
   */
  open(reader: FollowerReader, since: number, ownerId: string | null): Promise<RunRecord>;
  /**
   * What comes after the reader's position: a slice, at once if it is in memory; `null` if there is nothing yet, and a wake
   * will follow. It does not move the reader.
   * @throws RunEventsError why the follower has ended.
   */
  next(reader: FollowerReader): Slice | Promise<Slice> | null;
  /** Takes the reader out; the follower of no reader stops. Idempotent. */
  leave(reader: FollowerReader): void;
  /** Reads on from the log, as after a bell. */
  refresh(): void;
  /** Ends every reader with this error. */
  fail(error: unknown): void;
}

/**
 * Follows one run: the bell only says "look", the log is the truth, and each reader is a cursor on it. New events are
 * read once for all readers; one that lags behind what is kept in memory pages through the log by itself.
 * @param budget of all runs together
 * @param onRetire called once, when it takes no new readers: the last has left, or it has failed
 */
export function createFollower(
  runId: string,
  source: FollowerSource,
  budget: SliceBudget,
  onRetire: () => void,
): Follower {
  return new RunFollower(runId, source, budget, onRetire);
}

/** The ring of every quiet run. */
const NO_EVENTS: readonly KeptEvent[] = [];

/** One object with methods: the follower of a quiet run takes a third of what one of closures takes (`pnpm bench idle`). */
class RunFollower implements Follower {
  readonly #runId: string;
  readonly #source: FollowerSource;
  readonly #budget: SliceBudget;
  readonly #onRetire: () => void;
  readonly #watch: Watch;
  readonly #readers = new Set<FollowerReader>();
  /** For readers that lag; `null` while there is none. */
  #pages: Pages | null = null;
  /** Slices of the ring by the sequence they start behind; forgotten when the ring changes. */
  #slices: Map<number, Slice> | null = null;
  /** The events base+1 … end. */
  #ring: readonly KeptEvent[] = NO_EVENTS;
  #ringBytes = 0;
  /** Which run this is, once it has been read: 0 before. @see RunRecord.ordinal */
  #ordinal = 0;
  /** The head as of the last read; the ring ends there, or on its way there. */
  #head = 0;
  #end = 0;
  #failure: { readonly error: unknown } | null = null;
  /** Whether the watch is ready: what is committed from then on rings. */
  #isReady = false;
  #dirty = false;
  #reading = false;
  #retired = false;

  constructor(runId: string, source: FollowerSource, budget: SliceBudget, onRetire: () => void) {
    this.#runId = runId;
    this.#source = source;
    this.#budget = budget;
    this.#onRetire = onRetire;
    this.#watch = source.watch(runId, () => this.refresh());
  }

  async open(reader: FollowerReader, since: number, ownerId: string | null): Promise<RunRecord> {
    this.#readers.add(reader);
    try {
      const result = await this.#look(since, ownerId);
      const { run } = result;
      if (this.#ordinal !== 0 && run.ordinal > this.#ordinal) throw this.#replaced();
      // This read is older than the follower's run: what it saw is gone.
      if (this.#ordinal !== 0 && run.ordinal < this.#ordinal) throw runNotFound();
      const cursor = clampCursor(since, run);
      if (this.#ordinal === 0) {
        this.#ordinal = run.ordinal;
        this.#head = run.lastSequence;
        this.#end = run.lastSequence;
      }
      // A bell before the first read found no head to go on from; and this read may have seen more than the follower.
      if (this.#dirty || run.lastSequence > this.#end) this.refresh();
      reader.position = { sequence: cursor, ...stateAtSince(result, cursor) };
      return run;
    } catch (error) {
      this.leave(reader);
      throw error;
    }
  }

  next({ position }: FollowerReader): Slice | Promise<Slice> | null {
    if (this.#failure !== null) throw this.#failure.error;
    if (position === null || this.#ordinal === 0) return null;
    if (position.sequence >= this.#end) {
      // Whoever has caught up needs no pages. Where many read, the next read lets go of them.
      if (this.#pages !== null && this.#readers.size <= FEW_READERS && !this.#hasLaggard())
        this.#closePages();
      if (isTerminal(position.runStatus)) return createSlice(position, [], this.#head);
      // What was not read while everybody was stalled.
      if (this.#dirty) this.refresh();
      return null;
    }
    return position.sequence >= this.#end - this.#ring.length
      ? this.#ringSlice(position)
      : (this.#pages ??= createPages((query) => this.#readPage(query), this.#budget)).next(
          position,
        );
  }

  leave(reader: FollowerReader): void {
    this.#readers.delete(reader);
    if (this.#readers.size === 0) this.#retire();
  }

  refresh(): void {
    this.#dirty = true;
    if (!this.#reading && this.#ordinal !== 0) void this.#readOn();
  }

  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#retire();
    this.#wakeReaders();
  }

  /** What a reader gets first. It needs only the head and the phase at the cursor; a read takes at least one event. */
  async #look(since: number, ownerId: string | null): Promise<ReadResult> {
    const query = { runId: this.#runId, ownerId, since, limit: 1, maxBytes: 1 };
    // A read refuses another owner, whether the run is followed here or not: the time until a watch is ready would reveal which.
    // If the watch is ready already, this read also counts as the one after it.
    const wasReady = this.#isReady;
    let result = ownerId !== null || wasReady ? await this.#source.read(query) : null;
    if (!wasReady && (result !== null || ownerId === null)) {
      await this.#watch.ready;
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
        // Little at a time, so that the reads of many runs go out together; what is left is read next.
        const query = { since: this.#end, limit: READ_LIMIT, maxBytes: SLICE_BYTES };
        this.#take(await this.#source.read({ runId: this.#runId, ownerId: null, ...query }));
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

  /** Adds what was read. While the read was under way readers may have come or gone, and the bell may have rung again. */
  #take(result: ReadResult | null): void {
    if (this.#retired) return;
    const { run, events } = this.#checked(result);
    if (run.lastSequence < this.#end) throw cursorAhead(run.lastSequence);
    this.#head = run.lastSequence;
    if (events.length > 0) {
      const added = events.map((event) => ({ event, weight: weighEvent(event) }));
      for (const { weight } of added) this.#ringBytes += weight;
      this.#ring = this.#ring.length === 0 ? added : this.#ring.concat(added);
      this.#end = events.at(-1)?.sequence ?? this.#end;
      this.#slices = null;
      this.#wakeReaders();
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

  #wakeReaders(): void {
    for (const reader of this.#readers) reader.wake();
  }

  /** Forgets what every reader has had, and the oldest of what is too much. */
  #trim(): void {
    const ring = this.#ring;
    if (ring.length === 0) return;
    let least = this.#end;
    for (const { position } of this.#readers)
      if (position !== null && position.sequence < least) least = position.sequence;
    const base = this.#end - ring.length;
    let drop = Math.max(0, Math.min(least - base, ring.length));
    for (let at = 0; at < drop; at++) this.#ringBytes -= ring[at]?.weight ?? 0;
    while (this.#ringBytes > RING_BYTES && drop < ring.length)
      this.#ringBytes -= ring[drop++]?.weight ?? 0;
    if (drop === 0) return;
    this.#ring = drop === ring.length ? NO_EVENTS : ring.slice(drop);
    this.#slices = null;
  }

  #retire(): void {
    if (this.#retired) return;
    this.#retired = true;
    this.#closePages();
    this.#watch.stop();
    this.#onRetire();
  }

  #ringSlice(from: Position): Slice {
    const kept = this.#slices?.get(from.sequence);
    if (kept !== undefined) return kept;
    const start = from.sequence - (this.#end - this.#ring.length);
    const fitting = fitSlice(this.#ring, start, ({ weight }) => weight);
    const events = fitting.map(({ event }) => event);
    const slice = createSlice(from, events, this.#head);
    this.#slices ??= new Map();
    this.#slices.set(from.sequence, slice);
    return slice;
  }

  /** The run was deleted and its id used again: those who followed it are at their end, a newcomer may try again. */
  #replaced(): RunEventsError {
    this.fail(runNotFound());
    return new RunEventsError(
      "store_unavailable",
      "The run was replaced while it was being opened.",
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
