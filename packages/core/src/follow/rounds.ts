import type { Clock } from "../time/clock.ts";

/**
 * The interval, in milliseconds, at which everything that is followed is read without a notification, so that a lost one costs only time.
 * @see clause S13 in `STORE.md`
 */
const RECHECK_MS = 5_000;
/**
 * The most that is read in this way at once, and the pause after it. With many followers a round takes longer than `RECHECK_MS`. The
 * rate is low, since these reads are most of the cost of many quiet streams.
 */
const RECHECK_AT_ONCE = 50;
const RECHECK_PAUSE_MS = 1_000;

/** A run or a list that is read in rounds. */
export interface Rechecked {
  /** Reads it again, as after a notification. @param isRecheck that none has come */
  refresh(isRecheck: true): void;
}

/**
 * The rounds in which each follower of a process is read without a notification.
 *
 * | state   | event                   | next    | what happens                                                          |
 * | ------- | ----------------------- | ------- | --------------------------------------------------------------------- |
 * | stopped | `start`                 | waiting | a round will begin in `RECHECK_MS`                                    |
 * | waiting | `RECHECK_MS` pass       | round   | it holds the followers that there are now; the first of them are read |
 * | round   | `RECHECK_PAUSE_MS` pass | round   | the next followers are read                                           |
 * | round   | its last one is read    | waiting |                                                                       |
 * | round   | `RECHECK_MS` pass       | round   | nothing: with very many followers a round takes longer                |
 * | any     | `stop`                  | stopped | both timers stop                                                      |
 */
export class Rounds {
  readonly #clock: Clock;
  readonly #followers: ReadonlyMap<string, Rechecked>;
  #stopRecheck: (() => void) | null = null;
  /** The ones that are still to be read in this round; `null` between two rounds. */
  #round: Iterator<Rechecked> | null = null;
  /** The number of those. One that is added meanwhile is last in the map, and waits for the next round. */
  #leftInRound = 0;
  #stopRound: (() => void) | null = null;

  /** @param followers all that there are, at any time */
  constructor(followers: ReadonlyMap<string, Rechecked>, clock: Clock) {
    this.#followers = followers;
    this.#clock = clock;
  }

  /** Begins the rounds, unless they have begun. */
  start(): void {
    this.#stopRecheck ??= this.#clock.every(RECHECK_MS, () => this.#startRound());
  }

  stop(): void {
    this.#stopRecheck?.();
    this.#stopRecheck = null;
    this.#endRound();
  }

  #startRound(): void {
    if (this.#round !== null) return;
    this.#round = this.#followers.values();
    this.#leftInRound = this.#followers.size;
    this.#stopRound = this.#clock.every(RECHECK_PAUSE_MS, () => this.#readSome());
    this.#readSome();
  }

  #readSome(): void {
    for (let left = RECHECK_AT_ONCE; left > 0 && this.#round !== null; left -= 1) {
      const next = this.#round.next();
      this.#leftInRound -= 1;
      if (next.done !== true) next.value.refresh(true);
      if (next.done === true || this.#leftInRound === 0) this.#endRound();
    }
  }

  #endRound(): void {
    this.#round = null;
    this.#stopRound?.();
    this.#stopRound = null;
  }
}
