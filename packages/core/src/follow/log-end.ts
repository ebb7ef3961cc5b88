import type { StoredEvent } from "../rules/event.ts";
import { timeOfEnd } from "../rules/history.ts";
import { INITIAL_STATE, isTerminal } from "../rules/lifecycle.ts";
import type { RunRecord } from "../rules/run.ts";
import { type HeadState, shownState } from "../rules/shown-state.ts";
import { type RecentBudget, RecentEvents } from "./recent-events.ts";
import type { Position, Slice } from "./slice.ts";

const NO_HEAD: HeadState = { ...INITIAL_STATE, lastSequence: 0 };

/** The end of a run's log as its follower knows it, all of one history. */
export class LogEnd {
  readonly #budget: RecentBudget;
  #head: HeadState = NO_HEAD;
  #sequence = 0;
  #atMs = 0;
  /** The last events up to the end; `null` while every reader has them. */
  #recent: RecentEvents | null = null;

  /** @param budget shared by all runs */
  constructor(budget: RecentBudget) {
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

  /** Begins at the end of a log, and forgets what it knew. */
  startAt(run: RunRecord): void {
    this.close();
    this.#setHead(run);
    this.#sequence = run.lastSequence;
    this.#atMs = timeOfEnd(run);
  }

  /** Whether the run has ended, and its log ends there. */
  isOver({ sequence }: Position): boolean {
    return isTerminal(shownState(this.#head, sequence).runStatus);
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
    if (sequence >= this.#sequence) return sequence === this.#sequence && atMs === this.#atMs;
    const recent = this.#recent;
    return recent === null || sequence < recent.base || recent.timeAt(sequence) === atMs;
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
    this.#recent ??= new RecentEvents(this.#sequence, this.#atMs, this.#budget);
    this.#recent.add(events);
    this.#sequence = last.sequence;
    this.#atMs = last.createdAtMs;
  }

  /** Whether nothing has to be read for a reader there: it is at the end, or what follows is in memory. */
  has({ sequence }: Position): boolean {
    if (sequence >= this.#sequence) return true;
    return this.#recent !== null && sequence >= this.#recent.base;
  }

  /** The slice after a position that fits; `null` if its events are not in memory. */
  sliceAfter(position: Position): Slice | null {
    const recent = this.#recent;
    if (recent === null || position.sequence < recent.base) return null;
    return recent.sliceAfter(position, this.#head);
  }

  /** Lets go of the events in memory that no reader needs any more. @param least the sequence that every reader has */
  trim(least: number): void {
    this.#recent?.trim(least);
    if (this.#recent?.isEmpty === true) this.#recent = null;
  }

  /** Lets go of all events in memory. */
  close(): void {
    this.#recent?.trim(this.#sequence);
    this.#recent = null;
  }

  /** Keeps no more of a head than it needs. */
  #setHead({ runStatus, phase, lastSequence }: HeadState): void {
    this.#head = { runStatus, phase, lastSequence };
  }
}
