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
 * How many slices are read at once for a reader that reads on: what a read costs beside its rows is then shared by four writes.
 */
const SLICES_A_READ = 4;
/** How many slices of a run are kept for readers that are not far behind each other. */
const KEPT_SLICES = 8;
/** How many of all runs together, so that what many idle or stalled readers left behind does not add up: a few tens of MiB. */
const MOST_KEPT_SLICES = 256;

/** How many slices more the runs of a process may keep. A number, since V8 holds on to what a list that lives on has held. */
export interface SliceBudget {
  left: number;
}

/** A budget for all runs of a process. */
export function createSliceBudget(): SliceBudget {
  return { left: MOST_KEPT_SLICES };
}

/** The stretches of a run's log that are not in memory, for readers that lag behind. */
export interface Pages {
  /** The slice behind a position: at once if it was read just now, for this reader or another. */
  next(from: Position): Slice | Promise<Slice>;
  /** Lets go of what is kept. */
  clear(): void;
  /** Lets go of it, and keeps nothing more. */
  close(): void;
}

/**
 * Reads a run's log for its readers.
 *
 * | slice  | event                                            | next   | what happens                                             |
 * | ------ | ------------------------------------------------ | ------ | -------------------------------------------------------- |
 * | none   | `next`                                           | coming | it is read, and the next ones for a reader that reads on |
 * | coming | `next`                                           | coming | one read for all who ask                                 |
 * | coming | its read answers                                 | kept   | or none, if the budget is used up or the pages are closed |
 * | coming | its read fails                                   | none   | all who asked fail                                       |
 * | kept   | `next`                                           | kept   | it is returned at once                                   |
 * | kept   | `clear`, `close`, or it is the oldest of too many | none  | its bytes return to the budget                           |
 *
 * @param read reads on after a sequence. @throws what ends the reader; a result that has no event is not expected.
 */
export function createPages(
  read: (query: Pick<ReadQuery, "since" | "limit" | "maxBytes">) => Promise<ReadResult>,
  budget: SliceBudget,
): Pages {
  /** By the sequence that they start after, the last read last. */
  const kept = new Map<number, Slice>();
  const coming = new Map<number, Promise<Slice>>();
  let isClosed = false;

  /** Whether a slice that is kept ends there: its reader comes for the next one. A newcomer may leave after the first. */
  function readsOn({ sequence }: Position): boolean {
    for (const { to } of kept.values()) if (to.sequence === sequence) return true;
    return false;
  }

  async function readPage(from: Position): Promise<Slice> {
    const maxBytes = SLICE_BYTES * (readsOn(from) ? SLICES_A_READ : 1);
    // The limit says outright how many events that can be at most, since a store may look at as many before it cuts.
    const limit = Math.floor(maxBytes / EVENT_ENVELOPE_BYTES);
    const { events, run } = await read({ since: from.sequence, limit, maxBytes });
    const first = createSlice(from, fitSlice(events, 0, weighEvent), run.lastSequence);
    keep(from, first);
    let { to } = first;
    for (let at = first.events.length; at < events.length;) {
      const slice = createSlice(to, fitSlice(events, at, weighEvent), run.lastSequence);
      keep(to, slice);
      ({ to } = slice);
      at += slice.events.length;
    }
    return first;
  }

  /** Without a budget nothing more is kept, and whoever reads on gets a slice a read. */
  function keep({ sequence }: Position, slice: Slice): void {
    letGo(sequence);
    const [oldest] = kept.keys();
    if (kept.size === KEPT_SLICES && oldest !== undefined) letGo(oldest);
    if (isClosed || budget.left === 0) return;
    kept.set(sequence, slice);
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
      const { sequence } = from;
      const slice = kept.get(sequence) ?? coming.get(sequence);
      if (slice !== undefined) return slice;
      const page = readPage(from).finally(() => coming.delete(sequence));
      coming.set(sequence, page);
      return page;
    },
    clear,
    close() {
      isClosed = true;
      clear();
    },
  };
}
