import type { ReadResult } from "../rules/page.ts";
import { createSlice, fitSlice, type Position, type Slice, weighEvent } from "./slice.ts";

/** The reads of a run's log that are under way, for readers that lag behind what is in memory. Readers at one position share a read. */
export class Pages {
  readonly #read: (from: Position) => Promise<ReadResult>;
  /** By the sequence that they start after. */
  readonly #coming = new Map<
    number,
    { readonly atMs: number; readonly slice: Promise<Slice | null> }
  >();

  /** @param read reads on after a position. It rejects with what ends the reader, also if the position is of another history */
  constructor(read: (from: Position) => Promise<ReadResult>) {
    this.#read = read;
  }

  /** The slice after a position. `null` if the log ends there: the caller asks again once it knows the log's new end. */
  next(from: Position): Promise<Slice | null> {
    const { sequence, atMs } = from;
    const known = this.#coming.get(sequence);
    if (known?.atMs === atMs) return known.slice;
    // Readers of two histories share no page. The read finds out which of them is right.
    if (known !== undefined) return this.#readSlice(from);
    const slice = this.#readSlice(from).finally(() => this.#coming.delete(sequence));
    this.#coming.set(sequence, { atMs, slice });
    return slice;
  }

  async #readSlice(from: Position): Promise<Slice | null> {
    const { events, run } = await this.#read(from);
    return events.length === 0 ? null : createSlice(from, fitSlice(events, 0, weighEvent), run);
  }
}
