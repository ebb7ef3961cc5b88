import { install } from "@sinonjs/fake-timers";

/** One turn of the clock, in milliseconds: sockets get a real turn for each. */
const TURN_MS = 20;

/** Runs work for which the client's timers take hardly any time. */
export async function onFastClock<T>(work: () => Promise<T>): Promise<T> {
  const clock = install({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  try {
    let isOver = false;
    const working = work().finally(() => (isOver = true));
    while (!isOver) await clock.tickAsync(TURN_MS);
    return await working;
  } finally {
    clock.uninstall();
  }
}
