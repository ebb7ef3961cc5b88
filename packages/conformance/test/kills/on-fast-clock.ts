import { install } from "@sinonjs/fake-timers";

/** One turn of the clock, in milliseconds: work that has begun elsewhere gets a real turn for each. */
const TURN_MS = 10;

/** All that the kit, and a server in this process, wait by. */
export const WAITS = [
  "setTimeout",
  "clearTimeout",
  "setInterval",
  "clearInterval",
  "performance",
] as const;

/** Runs work for which waits take hardly any time: a mutant often never does what is waited for. */
export async function onFastClock<T>(work: () => Promise<T>): Promise<T> {
  const clock = install({ toFake: [...WAITS], shouldClearNativeTimers: true });
  try {
    let isOver = false;
    const working = work();
    // Its failure is handled when the clock has stopped.
    void Promise.allSettled([working]).then(() => (isOver = true));
    while (!isOver) await clock.tickAsync(TURN_MS);
    return await working;
  } finally {
    clock.uninstall();
  }
}
