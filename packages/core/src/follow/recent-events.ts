import type { StoredEvent } from "../rules/event.ts";
import type { HeadState } from "../rules/shown-state.ts";
import { createSlice, fitSlice, type Position, type Slice, weighEvent } from "./slice.ts";

/** The most bytes of a log's end, as of `eventBytes`, that are kept for readers that lag a little. */
const MOST_BYTES = 262_144;
/**
 * The most bytes that are kept of all logs together. A reader that lags further behind reads the log, so that a user who
 * follows thousands of runs slowly cannot fill the memory.
 */
const MOST_KEPT_BYTES = 67_108_864;

/** The number of further bytes that the logs of a process may keep. Below 0 each keeps only what its readers have not been notified of. */
export interface RecentBudget {
  left: number;
}

/** A budget for all runs of a process. */
export function createRecentBudget(bytes: number = MOST_KEPT_BYTES): RecentBudget {
  return { left: bytes };
}

interface KeptEvent {
  readonly event: StoredEvent;
  readonly weight: number;
}

/** The last events that were read of a run, in memory until every reader has had them. */
export class RecentEvents {
  /** The events after `#base`, without a gap. */
  #events: readonly KeptEvent[] = [];
  #base: number;
  #baseAtMs: number;
  #bytes = 0;
  readonly #budget: RecentBudget;
  /** Slices by the sequence that they begin after. Cleared when the events change. */
  #slices: Map<number, Slice> | null = null;

  /**
   * @param base the sequence after which the events will begin
   * @param baseAtMs the time of that event
   */
  constructor(base: number, baseAtMs: number, budget: RecentBudget) {
    this.#base = base;
    this.#baseAtMs = baseAtMs;
    this.#budget = budget;
  }

  /** The sequence of the event before the first. */
  get base(): number {
    return this.#base;
  }

  get isEmpty(): boolean {
    return this.#events.length === 0;
  }

  /** The time of the event at a sequence, which is the base or one of the events. */
  timeAt(sequence: number): number {
    if (sequence === this.#base) return this.#baseAtMs;
    return this.#events[sequence - this.#base - 1]?.event.createdAtMs ?? 0;
  }

  add(events: readonly StoredEvent[]): void {
    const added = events.map((event) => ({ event, weight: weighEvent(event) }));
    for (const { weight } of added) this.#hold(weight);
    this.#events = this.#events.length === 0 ? added : this.#events.concat(added);
    this.#slices = null;
  }

  /**
   * The slice after a position, one for all readers there.
   * @param from at `base` or after it, in the same history
   * @param head the run's head, at the last of the events or after it
   */
  sliceAfter(from: Position, head: HeadState): Slice {
    const kept = this.#slices?.get(from.sequence);
    if (kept !== undefined) return kept;
    const fitting = fitSlice(this.#events, from.sequence - this.#base, ({ weight }) => weight);
    const events = fitting.map(({ event }) => event);
    const slice = createSlice(from, events, head);
    this.#slices ??= new Map();
    this.#slices.set(from.sequence, slice);
    return slice;
  }

  /**
   * Forgets events that every reader has had, and the oldest events beyond the bounds.
   * @param least the sequence that every reader has
   */
  trim(least: number): void {
    const events = this.#events;
    let drop = Math.max(0, Math.min(least - this.#base, events.length));
    for (let at = 0; at < drop; at++) this.#hold(-(events[at]?.weight ?? 0));
    while ((this.#bytes > MOST_BYTES || this.#budget.left < 0) && drop < events.length)
      this.#hold(-(events[drop++]?.weight ?? 0));
    if (drop === 0) return;
    this.#baseAtMs = this.timeAt(this.#base + drop);
    this.#events = events.slice(drop);
    this.#base += drop;
    this.#slices = null;
  }

  #hold(weight: number): void {
    this.#bytes += weight;
    this.#budget.left -= weight;
  }
}
