import { type Clock, systemClock } from "../time/clock.ts";
import { type Answer, isLater } from "./answers.ts";

/** Polls take at most one part in this many of the time, even if each takes long. */
const SHARE = 5;

/** Polls again and again while it is needed. */
export interface Poller {
  /** Polls in this many milliseconds, unless a poll is due or under way. */
  start(delayMs: number): void;
  /** Polls in this many milliseconds at the latest. Repeated calls do not delay a poll. */
  hurry(delayMs: number): void;
  /** Polls no more. Idempotent. */
  stop(): void;
}

/** Settings of {@link createPoller}. */
export interface PollerOptions {
  /** Polls once. Called for one poll at a time. If it throws, the next poll makes up for it. */
  readonly poll: () => Answer<void>;
  /** Whether to poll. Called before each pause and each poll; polling stops if not. */
  readonly isNeeded: () => boolean;
  /**
   * The pause after a poll, in milliseconds.
   * @param failed whether the poll threw
   */
  readonly pauseMs: (failed: boolean) => number;
  /**
   * The longest pause after a poll that took long, in milliseconds.
   * @defaultValue Infinity
   */
  readonly mostPauseMs?: number | undefined;
  /**
   * The clock and its timers.
   * @defaultValue the host's own, whose timers do not keep a process alive
   */
  readonly clock?: Clock | undefined;
}

/**
 * Makes a poller: one timer for all that a store polls. A long poll is followed by a long pause. The poller stops by itself while it is
 * not needed, and for good with `stop`.
 * @see clause S13 in `STORE.md`
 */
export function createPoller(options: PollerOptions): Poller {
  const { poll, isNeeded, pauseMs, mostPauseMs = Number.POSITIVE_INFINITY } = options;
  const { clock = systemClock } = options;
  let cancel: (() => void) | null = null;
  let dueAtMs = 0;
  let isPolling = false;
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
    isPolling = true;
    const startedAtMs = clock.now();
    let failed = false;
    try {
      const answer = poll();
      // A timer follows even a poll that is over at once.
      if (isLater(answer)) await answer;
    } catch {
      failed = true;
    }
    isPolling = false;
    if (isStopped || !isNeeded()) return;
    const shareMs = Math.min((SHARE - 1) * (clock.now() - startedAtMs), mostPauseMs);
    arm(Math.max(pauseMs(failed), shareMs));
  }

  function isIdle(): boolean {
    return !isStopped && !isPolling && isNeeded();
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
