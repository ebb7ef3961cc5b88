import { RunEventsError } from "@tm/run-events-core";
import { linkAbort, untilAborted } from "../http/link-abort.ts";
import type { FeedCell } from "./feed-cell.ts";
import type { FeedMessage, FeedPlace, WantedFeed } from "./tab-messages.ts";

/** Before the first message. */
const NOWHERE: FeedPlace = { hub: "", number: 0 };

/**
 * The feed that a tab shows. It puts what comes from the tab with the connection into the feed's cell.
 *
 * | it      | until                                                    | then                                    |
 * | ------- | -------------------------------------------------------- | --------------------------------------- |
 * | takes   | a change comes that does not follow its last one         | lacks: the tab with the connection is asked |
 * | lacks   | all runs come again                                      | takes                                   |
 * | either  | the feed fails, or the signal aborts                     | is over                                 |
 */
export class FeedMember {
  readonly cell: FeedCell;
  /** Resolves when it is over. */
  readonly over: Promise<void>;
  readonly #signal: AbortSignal;
  readonly #end: () => void;
  #place = NOWHERE;
  /** The place of the runs that are coming again, in several messages. */
  #coming: FeedPlace | null = null;

  constructor(cell: FeedCell, signal: AbortSignal) {
    const { signal: own, abort } = linkAbort(signal);
    this.cell = cell;
    this.over = untilAborted(own);
    this.#signal = own;
    this.#end = abort;
  }

  get isOver(): boolean {
    return this.#signal.aborted;
  }

  /** What it wants, and where it is; `null` if it wants nothing. */
  wanted(): WantedFeed | null {
    const { wants } = this.cell;
    return this.isOver || wants.length === 0 ? null : { wants, place: this.#place };
  }

  /**
   * Takes the changes that follow its last ones.
   * @returns false if the tab with the connection has to be asked for all runs
   */
  accept(message: FeedMessage): boolean {
    if (this.isOver) return true;
    const { changes, feed, place, connection, error } = message;
    const isNext = this.#isNext(message);
    if (isNext) {
      if (changes !== null) this.cell.take(changes, feed);
      this.#coming = message.hasRest ? place : null;
      if (!message.hasRest) this.#place = place;
    }
    const reason = error && new RunEventsError(error.code, error.message, error);
    this.cell.setConnection({ state: connection, error: reason });
    if (connection === "failed") this.#end();
    const hasIt = place.hub === this.#place.hub && place.number <= this.#place.number;
    if (isNext || this.#coming !== null || hasIt) return true;
    this.#place = NOWHERE;
    return false;
  }

  /** Shows that nothing is read for now. */
  pause(): void {
    if (!this.isOver) this.cell.setConnection({ state: "paused", error: null });
  }

  /** Whether these are the changes after its last ones, or all runs again and it lacks some. */
  #isNext({ isWhole, changes, from, place }: FeedMessage): boolean {
    const { hub, number } = this.#place;
    if (!isWhole) return hub === place.hub && from <= number && number < place.number;
    if (isSame(this.#place, place)) return false;
    return changes?.isReset === true || (this.#coming !== null && isSame(this.#coming, place));
  }
}

function isSame(one: FeedPlace, other: FeedPlace): boolean {
  return one.hub === other.hub && one.number === other.number;
}
