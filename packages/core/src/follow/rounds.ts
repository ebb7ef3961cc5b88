import type { Clock } from "../time/clock.ts";

/**
 * How often everything that is followed is read without a notification, so that a lost one costs only time, in milliseconds.
 * @see clause S13 in `STORE.md`
 */
const RECHECK_MS = 5_000;
const TICK_MS = 1_000;
/** The most that a tick reads. The rate is low, since these reads are most of the cost of many quiet streams. With very many of them, each is read less often. */
const MOST_A_TICK = 50;

/** What is read in rounds. */
export interface Rechecked {
  /** Reads it again, as after a notification. @param isRecheck that none has come */
  refresh(isRecheck: true): void;
}

/** The rounds in which each follower of a process is read without a notification: a part of them at each tick. */
export class Rounds {
  readonly #clock: Clock;
  readonly #followers: ReadonlyMap<string, Rechecked>;
  #stopTicking: (() => void) | null = null;
  #round: Iterator<Rechecked> | null = null;
  /** How many are still to be read in this round. One that is added meanwhile is last in the map, and waits for the next round. */
  #left = 0;
  /** How many ticks each of those that are due has waited, together. */
  #waited = 0;

  /** @param followers all that there are, at any time */
  constructor(followers: ReadonlyMap<string, Rechecked>, clock: Clock) {
    this.#clock = clock;
    this.#followers = followers;
  }

  /** Begins the rounds, unless they have begun. */
  start(): void {
    this.#stopTicking ??= this.#clock.every(TICK_MS, () => this.#readSome());
  }

  stop(): void {
    this.#stopTicking?.();
    this.#stopTicking = null;
    this.#round = null;
    this.#left = 0;
    this.#waited = 0;
  }

  #readSome(): void {
    const ticks = RECHECK_MS / TICK_MS;
    this.#waited = Math.min(this.#waited + this.#followers.size, MOST_A_TICK * ticks);
    for (; this.#waited >= ticks; this.#waited -= ticks) {
      if (this.#left === 0 || this.#round === null) {
        this.#round = this.#followers.values();
        this.#left = this.#followers.size;
      }
      this.#left -= 1;
      const next = this.#round.next();
      if (next.done === true) this.#left = 0;
      else next.value.refresh(true);
    }
  }
}
