import { setTimeout as realDelay } from "node:timers/promises";
import { install } from "@sinonjs/fake-timers";

/** One turn of the clock, in milliseconds. */
const TURN_MS = 100;
/** The real time of each turn, in milliseconds. Sockets and the server need it, so that the clock does not outrun them. */
const REAL_TURN_MS = 1;

/** Runs work for which the client's timers take hardly any time. */
export async function onFastClock<T>(work: () => Promise<T>): Promise<T> {
  const clock = install({
    toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "performance"],
    // An earlier test may have left something open that closes now. Its timers must not fire afterwards.
    shouldClearNativeTimers: true,
  });
  try {
    let isOver = false;
    const working = work().finally(() => (isOver = true));
    while (!isOver) {
      await realDelay(REAL_TURN_MS);
      await clock.tickAsync(TURN_MS);
    }
    return await working;
  } finally {
    clock.uninstall();
  }
}

/** Lets time pass on the fast clock. */
export async function pass(ms: number): Promise<void> {
  const until = performance.now() + ms;
  await waitFor(() => performance.now() >= until);
}

/** Waits until this is so, on the fast clock. */
export async function waitFor(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise(setImmediate);
}
