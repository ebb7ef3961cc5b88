import type { Clock } from "@tm/run-events-core";
import { createOwnerQueue, type WaitingItem } from "./owner-queue.ts";

/** The time from one refusal to the next, in milliseconds: 200 a second. */
const PACE_MS = 5;
/** How many are answered at once before the rest wait. */
const BURST = 32;
/** How many may wait. More are answered at once, since each that waits holds a connection's memory. */
const MOST_WAITING = 1_024;

/** Answers refusals at a bounded pace. So a client that ignores `Retry-After` has to wait, and takes less of the server. */
export interface Refusals {
  /**
   * Resolves when the refusal may be answered: at once for the first 32, then at 200 a second, where owners take turns.
   * @param isGone whether the client has gone; its refusal then takes no turn
   * @see W49
   */
  wait(ownerId: string, isGone: () => boolean): Promise<void>;
}

/** Makes the pace that all owners of a handler share. */
export function createRefusals(clock: Clock): Refusals {
  const queue = createOwnerQueue<WaitingItem>();
  /** The time at which the pace has made up for the refusals so far. */
  let paidMs = Number.NEGATIVE_INFINITY;
  let isTicking = false;

  function pay(): void {
    paidMs = Math.max(paidMs, clock.now()) + PACE_MS;
  }

  function answerNext(stop: () => void): void {
    const next = queue.take(any);
    if (next === null) return stop();
    pay();
    next.resolve();
  }

  return {
    wait(ownerId, isGone) {
      const waiting = queue.size();
      const hasRoom = waiting === 0 && paidMs - clock.now() < BURST * PACE_MS;
      if (hasRoom || waiting >= MOST_WAITING) {
        pay();
        return Promise.resolve();
      }
      if (!isTicking) {
        isTicking = true;
        const stop = clock.every(PACE_MS, () =>
          answerNext(() => {
            isTicking = false;
            stop();
          }),
        );
      }
      return new Promise((resolve) => queue.add(ownerId, { isOver: isGone, resolve }));
    },
  };
}

function any(): boolean {
  return true;
}
