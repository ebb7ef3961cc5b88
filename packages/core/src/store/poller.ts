import { type Clock, systemClock } from "../time/clock.ts";
import { type Answer, isLater } from "./answers.ts";

/** Looks take at most one part in this many of the time, however long a look takes. */
const SHARE = 5;

/** Looks again and again while there is something to look for. */
export interface Poller {
  /** Looks in so many milliseconds, unless a look is due or under way. */
  start(delayMs: number): void;
  /** Looks in so many milliseconds at the latest. Repeated calls do not delay a look. */
  hurry(delayMs: number): void;
  stop(): void;
}

/** Settings of `createPoller`. */
export interface PollerOptions {
  /** Called for one look at a time. If it throws, the next look makes up for it. */
  readonly look: () => Answer<void>;
  /** Whether there is something to look for. Asked before each pause and each look; polling stops if not. */
  readonly isNeeded: () => boolean;
  /** The pause after a look, in milliseconds. @param failed whether the look threw */
  readonly pauseMs: (failed: boolean) => number;
  /** The longest pause after a look that took long, in milliseconds. @defaultValue Infinity */
  readonly mostPauseMs?: number | undefined;
  /** @defaultValue the host's own, whose timers do not keep a process alive */
  readonly clock?: Clock | undefined;
}

/**
 * One timer for all that a store polls. A long look is followed by a long pause. It stops by itself when nothing is needed, and for
 * good with `stop`.
 * @see S14
 */
export function createPoller(options: PollerOptions): Poller {
  const { look, isNeeded, pauseMs, mostPauseMs = Number.POSITIVE_INFINITY } = options;
  const { clock = systemClock } = options;
  let cancel: (() => void) | null = null;
  let dueAtMs = 0;
  let isLooking = false;
  let isStopped = false;

  function arm(delayMs: number): void {
    dueAtMs = clock.now() + delayMs;
    cancel = clock.every(delayMs, () => {
      cancel?.();
      cancel = null;
      void tick();
    });
  }

  async function tick(): Promise<void> {
    if (isStopped || !isNeeded()) return;
    isLooking = true;
    const startedAtMs = clock.now();
    let failed = false;
    try {
      const answer = look();
      // Also after a look that is over at once, there is always a timer.
      if (isLater(answer)) await answer;
    } catch {
      failed = true;
    }
    isLooking = false;
    if (isStopped || !isNeeded()) return;
    const shareMs = Math.min((SHARE - 1) * (clock.now() - startedAtMs), mostPauseMs);
    arm(Math.max(pauseMs(failed), shareMs));
  }

  function isIdle(): boolean {
    return !isStopped && !isLooking && isNeeded();
  }

  return {
    start(delayMs) {
      if (cancel === null && isIdle()) arm(delayMs);
    },
    hurry(delayMs) {
      if (!isIdle() || (cancel !== null && dueAtMs <= clock.now() + delayMs)) return;
      cancel?.();
      arm(delayMs);
    },
    stop() {
      isStopped = true;
      cancel?.();
      cancel = null;
    },
  };
}
