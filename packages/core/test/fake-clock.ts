import type { Clock } from "../src/time/clock.ts";

/** A clock that a test moves by hand. */
export interface FakeClock extends Clock {
  /** Moves time on and runs every task that falls due, each at its own time. */
  advance(ms: number): void;
  /** Jumps, as for a process that was stopped: what fell due meanwhile runs late and once, at the next `advance`. */
  skip(ms: number): void;
  /** The number of timers that are not stopped. */
  timers(): number;
}

interface Timer {
  dueAt: number;
  readonly periodMs: number;
  readonly task: () => void;
}

/** Starts at a time that is not a round number, since nothing may depend on where time starts. */
export function createFakeClock(): FakeClock {
  const timers = new Set<Timer>();
  let time = 1_234;

  function nextDue(until: number): Timer | undefined {
    return [...timers]
      .filter((timer) => timer.dueAt <= until)
      .toSorted((a, b) => a.dueAt - b.dueAt)[0];
  }

  return {
    now: () => time,
    every(periodMs, task) {
      const timer = { dueAt: time + periodMs, periodMs, task };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
    advance(ms) {
      const until = time + ms;
      for (let timer = nextDue(until); timer !== undefined; timer = nextDue(until)) {
        time = Math.max(time, timer.dueAt);
        timer.dueAt = time + timer.periodMs;
        timer.task();
      }
      time = until;
    },
    skip(ms) {
      time += ms;
    },
    timers: () => timers.size,
  };
}
