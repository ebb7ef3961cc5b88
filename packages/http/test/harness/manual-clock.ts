import type { Clock } from "@tm/run-events-core/wire";

/** A clock that only the test moves. */
export interface ManualClock extends Clock {
  /** Moves on, and does all that falls due on the way, in order. */
  advance(ms: number): void;
  /** The timers that are running. */
  timers(): number;
}

/** Starts at 0. */
export function createManualClock(): ManualClock {
  const timers = new Set<{ at: number; readonly periodMs: number; readonly task: () => void }>();
  let now = 0;
  return {
    now: () => now,
    every(periodMs, task) {
      const timer = { at: now + periodMs, periodMs, task };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
    advance(ms) {
      const end = now + ms;
      for (;;) {
        const [next] = [...timers].toSorted((a, b) => a.at - b.at);
        if (next === undefined || next.at > end) break;
        now = next.at;
        next.at += next.periodMs;
        next.task();
      }
      now = end;
    },
    timers: () => timers.size,
  };
}
