import { EVENT_ENVELOPE_BYTES, type ReadQuery, type ReadResult } from "../rules/page.ts";
import {
  createSlice,
  fitSlice,
  type Position,
  type Slice,
  SLICE_BYTES,
  weighEvent,
} from "./slice.ts";

/**
 * How many slices are read at once for a reader that reads on. Four writes then share the cost of a read besides its rows.
 */
const SLICES_A_READ = 4;
/** How many slices of a run are kept for readers that are not far behind each other. */
const KEPT_SLICES = 8;
/** How many slices are kept of all runs together, so that those of many idle or stalled readers do not add up: some tens of MiB. */
const MOST_KEPT_SLICES = 256;

/** How many more slices the runs of a process may keep. A number, since V8 retains what a long-lived list has held. */
export interface SliceBudget {
  left: number;
}

/** A budget for all runs of a process. */
export function createSliceBudget(): SliceBudget {
  return { left: MOST_KEPT_SLICES };
}

/** The stretches of a run's log that are not in memory, for readers that lag behind. */
export interface Pages {
  /**
   * The slice after a position: at once if it was read just now, for this reader or another. `null` if the log ends there: the caller
   * asks again once it knows the log's new end.
   */
  next(from: Position): Slice | Promise<Slice | null>;
  /** Whether it is there at once. */
  has(from: Position): boolean;
  /** Lets go of all kept slices. */
  clear(): void;
  /** Lets go of all kept slices, and keeps no more. */
  close(): void;
}

/** What follows a position, with the time of that position's event. */
interface From<Following> {
  readonly atMs: number;
  readonly slice: Following;
}

/**
 * Reads a run's log for its readers.
 *
 * | slice  | event                                             | next   | what happens                                              |
 * | ------ | ------------------------------------------------- | ------ | --------------------------------------------------------- |
 * | none   | `next`                                            | coming | it is read, and the next ones for a reader that reads on  |
 * | coming | `next`                                            | coming | all calls share one read                                  |
 * | coming | its read answers                                  | kept   | or none, if the budget is used up or the pages are closed |
 * | coming | its read fails                                    | none   | every `next` that waits fails                             |
 * | kept   | `next`                                            | kept   | it is returned at once                                    |
 * | kept   | `clear`, `close`, or it is the oldest of too many | none   | its bytes return to the budget                            |
 *
 * @param read reads on after a position. It rejects with what ends the reader, also if the position is of another history
 */
export function createPages(
  read: (from: Position, query: Pick<ReadQuery, "limit" | "maxBytes">) => Promise<ReadResult>,
  budget: SliceBudget,
): Pages {
  /** By the sequence that they start after; the newest is last. */
  const kept = new Map<number, From<Slice>>();
  const coming = new Map<number, From<Promise<Slice | null>>>();
  let isClosed = false;

  /** Whether a kept slice ends there: its reader comes for the next one. A new reader may leave after the first. */
  function readsOn({ sequence }: Position): boolean {
    for (const { slice } of kept.values()) if (slice.to.sequence === sequence) return true;
    return false;
  }

  async function readPage(from: Position): Promise<Slice | null> {
    const maxBytes = SLICE_BYTES * (readsOn(from) ? SLICES_A_READ : 1);
    // The limit is the most events that fit, since a store may read up to the limit before it cuts.
    const limit = Math.floor(maxBytes / EVENT_ENVELOPE_BYTES);
    const { events, run } = await read(from, { limit, maxBytes });
    if (events.length === 0) return null;
    const first = createSlice(from, fitSlice(events, 0, weighEvent), run);
    keep(from, first);
    let { to } = first;
    for (let at = first.events.length; at < events.length;) {
      const slice = createSlice(to, fitSlice(events, at, weighEvent), run);
      keep(to, slice);
      ({ to } = slice);
      at += slice.events.length;
    }
    return first;
  }

  /** Without a budget no more slices are kept, and a reader that reads on gets one slice a read. */
  function keep({ sequence, atMs }: Position, slice: Slice): void {
    letGo(sequence);
    const [oldest] = kept.keys();
    if (kept.size === KEPT_SLICES && oldest !== undefined) letGo(oldest);
    if (isClosed || budget.left === 0) return;
    kept.set(sequence, { atMs, slice });
    budget.left -= 1;
  }

  function letGo(sequence: number): void {
    if (kept.delete(sequence)) budget.left += 1;
  }

  function clear(): void {
    for (const sequence of kept.keys()) letGo(sequence);
  }

  return {
    next(from) {
      const { sequence, atMs } = from;
      const known = kept.get(sequence) ?? coming.get(sequence);
      if (known?.atMs === atMs) return known.slice;
      // Readers of two histories share no page. The read finds out which of them is right.
      if (known !== undefined) return readPage(from);
      const slice = readPage(from).finally(() => coming.delete(sequence));
      coming.set(sequence, { atMs, slice });
      return slice;
    },
    has: ({ sequence, atMs }) => kept.get(sequence)?.atMs === atMs,
    clear,
    close() {
      isClosed = true;
      clear();
    },
  };
}
