import type { Clock } from "@tm/run-events-core/wire";

/** A clock that does not move. */
export interface HandClock extends Clock {
  /** Runs every task that is set, as if its time had come. */
  tick(): void;
}

/** Makes a clock that the kit moves, so that core's re-reading takes no time. */
export function createHandClock(): HandClock {
  const tasks = new Set<() => void>();
  return {
    now: () => 0,
    every(_periodMs, task) {
      // One object a call: the same function may be set twice.
      const own = (): void => task();
      tasks.add(own);
      return () => tasks.delete(own);
    },
    tick() {
      // Timers that a task sets are not due yet.
      const due = new Set(tasks);
      for (const task of due) task();
    },
  };
}
