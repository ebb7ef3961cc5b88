import { clampCursor } from "./cursor.ts";
import { RunEventsError, runNotFound } from "./errors.ts";
import { isTerminal } from "./lifecycle.ts";
import { stateAtSince } from "./page.ts";
import { createPages } from "./pages.ts";
import {
  createSlice,
  fitSlice,
  type Position,
  type Slice,
  SLICE_BYTES,
  weighEvent,
} from "./slice.ts";
import type { ReadQuery, ReadResult, RunRecord, StoredEvent, Watch } from "./store.ts";

/** How much of a log's end a follower keeps for readers that lag a little, counted as `eventBytes` does. */
const RING_BYTES = 262_144;
const READ_LIMIT = 1_000;

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
  /** Called when `next` may have something new, synchronously, possibly for nothing. */
  readonly wake: () => void;
}

/** One run's follower in this process, shared by all its readers. */
export interface Follower {
  /**
   * Adds the reader, then finds its place: subscribe first, read after, so that nothing committed from now on is missed.
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
 * @param onRetire called once, when it takes no new readers: the last has left, or it has failed
 */
export function createFollower(
  runId: string,
  source: FollowerSource,
  onRetire: () => void,
): Follower {
  const readers = new Set<FollowerReader>();
  /** Slices of the ring by the sequence they start behind; emptied when the ring changes. */
  const slices = new Map<number, Slice>();
  /** The events base+1 … end. */
  let ring: KeptEvent[] = [];
  let ringBytes = 0;
  /** The head as of the last read; the ring ends at its `lastSequence`, or on its way there. */
  let run: RunRecord | null = null;
  let end = 0;
  let failure: { readonly error: unknown } | null = null;
  let dirty = false;
  let reading = false;
  let retired = false;
  const watch = source.watch(runId, refresh);
  const pages = createPages(async (query) => {
    const result = checked(await source.read({ runId, ownerId: null, ...query }));
    if (result.events.length === 0) throw clampFailure(result.run);
    if (result.run.lastSequence > end) refresh();
    return result;
  });

  function refresh(): void {
    dirty = true;
    if (!reading && run !== null) void readOn();
  }

  async function readOn(): Promise<void> {
    reading = true;
    while (dirty && !retired) {
      dirty = false;
      try {
        take(
          await source.read({
            runId,
            ownerId: null,
            since: end,
            limit: READ_LIMIT,
            // Little at a time, so that the reads of many runs go out together; what is left is read next.
            maxBytes: SLICE_BYTES,
          }),
        );
      } catch (error) {
        fail(error);
      }
    }
    reading = false;
  }

  /** Adds what was read. While the read was under way readers may have come or gone, and the bell may have rung again. */
  function take(result: ReadResult | null): void {
    if (retired) return;
    const head = checked(result).run;
    if (head.lastSequence < end) throw clampFailure(head);
    run = head;
    for (const event of result?.events ?? []) {
      const weight = weighEvent(event);
      ring.push({ event, weight });
      ringBytes += weight;
      end = event.sequence;
    }
    if (end < head.lastSequence) dirty = true;
    slices.clear();
    pages.clear();
    wakeReaders();
    trim();
  }

  function checked(result: ReadResult | null): ReadResult {
    // Another ordinal is another run: this one was deleted, and its id used again.
    if (result === null || (run !== null && result.run.ordinal !== run.ordinal))
      throw runNotFound();
    return result;
  }

  function wakeReaders(): void {
    for (const reader of readers) reader.wake();
  }

  /** Forgets what every reader has had, and the oldest of what is too much. */
  function trim(): void {
    let least = end;
    for (const { position } of readers)
      if (position !== null && position.sequence < least) least = position.sequence;
    const base = end - ring.length;
    let drop = Math.max(0, Math.min(least - base, ring.length));
    for (let at = 0; at < drop; at++) ringBytes -= ring[at]?.weight ?? 0;
    while (ringBytes > RING_BYTES && drop < ring.length) ringBytes -= ring[drop++]?.weight ?? 0;
    if (drop === 0) return;
    ring = ring.slice(drop);
    slices.clear();
  }

  function fail(error: unknown): void {
    failure ??= { error };
    retire();
    wakeReaders();
  }

  function retire(): void {
    if (retired) return;
    retired = true;
    watch.stop();
    onRetire();
  }

  function ringSlice(from: Position, head: RunRecord): Slice {
    const kept = slices.get(from.sequence);
    if (kept !== undefined) return kept;
    const start = from.sequence - (end - ring.length);
    const slice = createSlice(
      from,
      fitSlice(ring, start, ({ weight }) => weight).map(({ event }) => event),
      head,
    );
    slices.set(from.sequence, slice);
    return slice;
  }

  /** The run was deleted and its id used again: those who followed it are at their end, a newcomer may try again. */
  function replaced(): RunEventsError {
    fail(runNotFound());
    return new RunEventsError(
      "store_unavailable",
      "The run was replaced while it was being opened.",
    );
  }

  function leave(reader: FollowerReader): void {
    readers.delete(reader);
    if (readers.size === 0) retire();
  }

  return {
    async open(reader, since, ownerId) {
      readers.add(reader);
      try {
        await watch.ready;
        // Only the head and the phase at the cursor are wanted; a read takes an event at least.
        const query = { runId, ownerId, since, limit: 1, maxBytes: 1 };
        const result = await source.read(query);
        if (result === null) throw runNotFound();
        if (run !== null && result.run.ordinal > run.ordinal) throw replaced();
        // This read is older than the follower's run: what it saw is gone.
        if (run !== null && result.run.ordinal < run.ordinal) throw runNotFound();
        const cursor = clampCursor(since, result.run);
        if (run === null) {
          run = result.run;
          end = run.lastSequence;
        }
        // A bell before the first read found no head to go on from; and this read may have seen more than the follower.
        if (dirty || result.run.lastSequence > end) refresh();
        reader.position = { sequence: cursor, ...stateAtSince(result, cursor) };
        return result.run;
      } catch (error) {
        leave(reader);
        throw error;
      }
    },
    next({ position }) {
      if (failure !== null) throw failure.error;
      if (position === null || run === null) return null;
      if (position.sequence >= end) {
        return isTerminal(position.runStatus) ? createSlice(position, [], run) : null;
      }
      return position.sequence >= end - ring.length
        ? ringSlice(position, run)
        : pages.next(position);
    },
    leave,
    refresh,
    fail,
  };
}

/** The log ends before where it was read to: the store has lost its tail. */
function clampFailure(run: RunRecord): RunEventsError {
  return new RunEventsError("cursor_ahead", "The cursor is past the end of the log.", {
    details: { lastSequence: run.lastSequence },
  });
}
