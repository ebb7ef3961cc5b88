import type { StoredEvent } from "../rules/event.ts";
import { timeOfEnd } from "../rules/history.ts";
import { INITIAL_STATE, isTerminal } from "../rules/lifecycle.ts";
import type { RunRecord } from "../rules/run.ts";
import { type HeadState, standingState } from "../rules/shown-state.ts";
import { createSlice, fitSlice, type Position, type Slice, weighEvent } from "./slice.ts";

const NO_HEAD: HeadState = { ...INITIAL_STATE, lastSequence: 0 };

/** The most bytes of a log's end, as of `eventBytes`, that are kept for readers that lag a little. */
const MOST_BYTES = 262_144;
/**
 * The most bytes that are kept of all logs together. A reader that lags further behind reads the log, so that a user who
 * follows thousands of runs slowly cannot fill the memory.
 */
export const MOST_KEPT_BYTES = 67_108_864;

interface KeptEvent {
  readonly event: StoredEvent;
  readonly weight: number;
}

const NONE: readonly KeptEvent[] = [];

/** The end of a run's log as its follower knows it, all of one history, with the last events until every reader has had them. */
export class LogEnd {
  readonly #budget: { left: number };
  #head: HeadState = NO_HEAD;
  /** What was asked for last, until the head changes: readers ask one after the other. */
  #standing: { readonly reached: number; readonly state: HeadState } | null = null;
  #sequence = 0;
  #atMs = 0;
  /** The last events up to the end, without a gap. */
  #events: readonly KeptEvent[] = NONE;
  /** The time of the event before the first one in memory. */
  #baseAtMs = 0;
  #bytes = 0;
  /** Slices by the sequence that they begin after, until the events change. */
  #slices: Map<number, Slice> | null = null;

  /**
   * @param budget of all runs: the number of further bytes that their ends may keep. Below 0 each keeps only what its readers have not
   * been notified of
   */
  constructor(budget: { left: number }) {
    this.#budget = budget;
  }

  /** The run's state and its last sequence, as of the last read. Reads of the log end there, or before. */
  get head(): HeadState {
    return this.#head;
  }

  /** The last sequence that was read. */
  get sequence(): number {
    return this.#sequence;
  }

  /** The time of that event; 0 before the first. */
  get atMs(): number {
    return this.#atMs;
  }

  /** The sequence of the event before those in memory. */
  get #base(): number {
    return this.#sequence - this.#events.length;
  }

  /** As `standingState` of the head, one object for all readers that have reached the sequence. */
  standingAt(reached: number): HeadState {
    if (this.#standing?.reached !== reached)
      this.#standing = { reached, state: standingState(this.#head, reached) };
    return this.#standing.state;
  }

  /** Begins at the end of a log, and forgets what it knew. */
  startAt(run: RunRecord): void {
    this.trim(this.#sequence);
    this.#setHead(run);
    this.#sequence = run.lastSequence;
    this.#atMs = timeOfEnd(run);
    this.#baseAtMs = this.#atMs;
  }

  /** Whether the run has ended, and its log ends there. */
  isOver({ sequence }: Position): boolean {
    const { runStatus, lastSequence } = this.#head;
    return sequence >= lastSequence && isTerminal(runStatus);
  }

  /** Takes the head of another read if its log is longer: a reader of the longer log must not get an older state as the last. */
  noteHead(run: HeadState): void {
    if (run.lastSequence > this.#head.lastSequence) this.#setHead(run);
  }

  /** Whether the run's log ends there. */
  isOf(run: RunRecord): boolean {
    return run.lastSequence === this.#sequence && timeOfEnd(run) === this.#atMs;
  }

  /** Whether the position is in this history, as far as memory can tell: of an earlier one only a read can. */
  fits({ sequence, atMs }: Position): boolean {
    if (sequence > this.#sequence) return false;
    return sequence < this.#base || this.#timeAt(sequence) === atMs;
  }

  /**
   * Adds the next events, if there are any.
   * @param head that was read with them
   * @param before the head as it was when that read began: a longer one that was noted meanwhile is newer, and stays
   */
  add(events: readonly StoredEvent[], head: HeadState, before: HeadState): void {
    if (this.#head === before || head.lastSequence >= this.#head.lastSequence) this.#setHead(head);
    const last = events.at(-1);
    if (last === undefined) return;
    const added = events.map((event) => ({ event, weight: weighEvent(event) }));
    for (const { weight } of added) this.#hold(weight);
    this.#events = this.#events.length === 0 ? added : this.#events.concat(added);
    this.#slices = null;
    this.#sequence = last.sequence;
    this.#atMs = last.createdAtMs;
  }

  /** The slice after a position that fits, one for all readers there; `null` if its events are not in memory. */
  sliceAfter(position: Position): Slice | null {
    if (position.sequence < this.#base) return null;
    const kept = this.#slices?.get(position.sequence);
    if (kept !== undefined) return kept;
    const from = position.sequence - this.#base;
    const fitting = fitSlice(this.#events, from, ({ weight }) => weight);
    const events = fitting.map(({ event }) => event);
    const slice = createSlice(position, events, this.#head);
    this.#slices ??= new Map();
    this.#slices.set(position.sequence, slice);
    return slice;
  }

  /**
   * Lets go of events in memory that no reader needs any more, and of the oldest beyond the bounds.
   * @param least the sequence that every reader has
   */
  trim(least: number): void {
    const events = this.#events;
    const needless = Math.min(least - this.#base, events.length);
    let drop = 0;
    for (const { weight } of events) {
      if (drop >= needless && this.#bytes <= MOST_BYTES && this.#budget.left >= 0) break;
      this.#hold(-weight);
      drop += 1;
    }
    if (drop === 0) return;
    this.#baseAtMs = this.#timeAt(this.#base + drop);
    this.#events = drop === events.length ? NONE : events.slice(drop);
    this.#slices = null;
  }

  /** The time of an event in memory, or of the one before those. */
  #timeAt(sequence: number): number {
    const at = sequence - this.#base - 1;
    return at < 0 ? this.#baseAtMs : (this.#events[at]?.event.createdAtMs ?? 0);
  }

  #hold(weight: number): void {
    this.#bytes += weight;
    this.#budget.left -= weight;
  }

  /** Keeps no more of a head than it needs. */
  #setHead({ runStatus, phase, lastSequence }: HeadState): void {
    this.#head = { runStatus, phase, lastSequence };
    this.#standing = null;
  }
}
