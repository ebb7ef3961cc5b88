import type { Clock } from "../time/clock.ts";
import { createOwnerQueue, type WaitingItem } from "./owner-queue.ts";

/** The time from one refusal to the next, in milliseconds: 200 a second. */
const PACE_MS = 5;
/** How many are answered at once before the rest wait. */
const BURST = 32;
/** How many may wait. More are answered at once, since each that waits holds a connection's memory. */
const MOST_WAITING = 8_192;

/** Answers refusals at a bounded pace. So a client that ignores `Retry-After` has to wait, and takes less of the server. */
export interface Refusals {
  /**
   * Resolves when the refusal may be answered: at once for the first 32, then at 200 a second, where owners take turns.
   * @param isGone whether the client has gone; its refusal then takes no turn
   * @see clause W49 in `WIRE.md` of `@tm/run-events-http`
   */
  wait(ownerId: string, isGone: () => boolean): Promise<void>;
  /** Answers all that wait, and later ones at once: a shutdown would cut them. @see clause W27 in `WIRE.md` of `@tm/run-events-http` */
  release(): void;
}

/** Makes the pace that all owners of a handler share. */
export function createRefusals(clock: Clock): Refusals {
  return new PacedRefusals(clock);
}

/**
 * What becomes of a refusal:
 *
 * | state                              | a refusal comes               | a tick                              | `release`          |
 * | ---------------------------------- | ----------------------------- | ----------------------------------- | ------------------ |
 * | idle: none waits, the pace has room | is answered                   | (no clock runs)                     | released           |
 * | pacing: some wait, or no room       | waits                         | as many are answered as time allows | all are answered   |
 * | full: 8,192 wait                   | is answered, and does not slow the pace | as pacing                  | all are answered   |
 * | released                           | is answered                   | (no clock runs)                     | -                  |
 */
class PacedRefusals implements Refusals {
  readonly #clock: Clock;
  readonly #queue = createOwnerQueue<WaitingItem>();
  /** The time at which the pace has made up for the refusals so far. */
  #paidMs = Number.NEGATIVE_INFINITY;
  #isReleased = false;
  #stop: (() => void) | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  wait(ownerId: string, isGone: () => boolean): Promise<void> {
    const waiting = this.#queue.size();
    // It does not slow the pace: otherwise those that wait would also wait for it.
    if (waiting >= MOST_WAITING) return Promise.resolve();
    if (waiting === 0 && this.#hasRoom()) {
      this.#pay();
      return Promise.resolve();
    }
    this.#stop ??= this.#clock.every(PACE_MS, () => this.#answerDue());
    return new Promise((resolve) => this.#queue.add(ownerId, { isOver: isGone, resolve }));
  }

  release(): void {
    this.#isReleased = true;
    this.#answerDue();
  }

  /** As many as the time allows: a turn of a busy event loop takes longer than the pace. */
  #answerDue(): void {
    while (this.#hasRoom()) {
      const next = this.#queue.take(any);
      if (next === null) {
        this.#stop?.();
        this.#stop = null;
        return;
      }
      this.#pay();
      next.resolve();
    }
  }

  #hasRoom(): boolean {
    return this.#isReleased || this.#paidMs - this.#clock.now() < BURST * PACE_MS;
  }

  #pay(): void {
    this.#paidMs = Math.max(this.#paidMs, this.#clock.now()) + PACE_MS;
  }
}

function any(): boolean {
  return true;
}
