import { setImmediate } from "node:timers/promises";

/** Lets everything happen that takes no time, for so many turns of the event loop. */
export async function settleTurns(turns: number): Promise<void> {
  for (let left = turns; left > 0; left -= 1) await setImmediate();
}
