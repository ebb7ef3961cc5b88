import type { Clock } from "@tm/run-events-core/wire";
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
   * @see W49
   */
  wait(ownerId: string, isGone: () => boolean): Promise<void>;
  /** Answers all that wait, now and from now on: a server that goes down would cut them. @see W27 */
  release(): void;
}

/** Makes the pace that all owners of a handler share. */
export function createRefusals(clock: Clock): Refusals {
  const queue = createOwnerQueue<WaitingItem>();
  /** The time at which the pace has made up for the refusals so far. */
  let paidMs = Number.NEGATIVE_INFINITY;
  let isReleased = false;
  let stop: (() => void) | null = null;

  function hasRoom(): boolean {
    return isReleased || paidMs - clock.now() < BURST * PACE_MS;
  }

  function pay(): void {
    paidMs = Math.max(paidMs, clock.now()) + PACE_MS;
  }

  /** As many as the time allows: a turn of a busy event loop takes longer than the pace. */
  function answerDue(): void {
    while (hasRoom()) {
      const next = queue.take(any);
      if (next === null) {
        stop?.();
        stop = null;
        return;
      }
      pay();
      next.resolve();
    }
  }

  return {
    wait(ownerId, isGone) {
      const waiting = queue.size();
      // Not paid for: those that wait would do so until all of it is.
      if (waiting >= MOST_WAITING) return Promise.resolve();
      if (waiting === 0 && hasRoom()) {
        pay();
        return Promise.resolve();
      }
      stop ??= clock.every(PACE_MS, answerDue);
      return new Promise((resolve) => queue.add(ownerId, { isOver: isGone, resolve }));
    },
    release() {
      isReleased = true;
      answerDue();
    },
  };
}

function any(): boolean {
  return true;
}
