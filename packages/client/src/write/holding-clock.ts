import type { Clock } from "@tm/run-events-core/wire";

/** The host's clock, whose timers keep the process alive: what a writer has gathered is to be sent before a program ends. */
export const holdingClock: Clock = {
  now: () => performance.now(),
  every(ms, task) {
    const timer = setInterval(task, ms);
    return () => clearInterval(timer);
  },
};
