import { EVENT_ENVELOPE_BYTES } from "./page.ts";
import {
  createSlice,
  fitSlice,
  type Position,
  type Slice,
  SLICE_BYTES,
  weighEvent,
} from "./slice.ts";
import type { ReadQuery, ReadResult } from "./store.ts";

/**
 * How many slices are read at once for whoever reads on: what a read costs beside its rows is then shared by four writes.
 * From SQLite an event takes 0.83 µs up to its bytes, 0.93 with one; a database that is asked over a connection gains more.
 */
const SLICES_A_READ = 4;
/** How many slices of a run are kept for readers that are not far behind each other. */
const KEPT_SLICES = 8;
/** How many of all runs together, so that what many idle or stalled readers left behind does not add up: some 30 MiB. */
const MOST_KEPT_SLICES = 256;

/** What all runs of this process keep, and where it is kept; what was kept first goes first. */
const shelf = new Map<Slice, { readonly kept: Map<number, Slice>; readonly sequence: number }>();

/** The stretches of a run's log that are not in memory, for readers that lag behind. */
export interface Pages {
  /** The slice behind a position: at once if it was read just now, for this reader or another. */
  next(from: Position): Slice | Promise<Slice>;
  /** Lets go of what is kept. */
  clear(): void;
}

/**
 * Reads a run's log for its readers. A page on its way is one for all who ask for it.
 * @param read reads on behind a sequence. @throws what ends the reader; a result that has no event is not expected.
 */
export function createPages(
  read: (query: Pick<ReadQuery, "since" | "limit" | "maxBytes">) => Promise<ReadResult>,
): Pages {
  /** By the sequence that they start behind; what was read last stands last. */
  const kept = new Map<number, Slice>();
  const coming = new Map<number, Promise<Slice>>();

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

  function keep({ sequence }: Position, slice: Slice): void {
    letGo(kept, sequence);
    kept.set(sequence, slice);
    shelf.set(slice, { kept, sequence });
    const [oldest] = kept.keys();
    if (kept.size > KEPT_SLICES && oldest !== undefined) letGo(kept, oldest);
    const [first] = shelf.values();
    if (shelf.size > MOST_KEPT_SLICES && first !== undefined) letGo(first.kept, first.sequence);
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
    clear() {
      for (const sequence of kept.keys()) letGo(kept, sequence);
    },
  };
}

function letGo(kept: Map<number, Slice>, sequence: number): void {
  const slice = kept.get(sequence);
  if (slice !== undefined) shelf.delete(slice);
  kept.delete(sequence);
}
