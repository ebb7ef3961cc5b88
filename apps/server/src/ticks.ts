import { setImmediate as nextTurn } from "node:timers/promises";

/** Work that comes back again and again. */
export interface Ticks {
  /** No tick begins any more. Resolves when the one under way has ended. Idempotent. */
  stop(): Promise<void>;
}

/**
 * Ticks every so many milliseconds, never twice at once. A tick that left some work is followed by the next without delay, but
 * for a turn of the event loop for everybody else; so is one that was still under way when the next fell due. Keeps no process
 * alive.
 * @param tick does a bounded piece of the work and says whether there is more; must not reject
 */
export function startTicks(everyMs: number, tick: () => Promise<boolean>): Ticks {
  let isStopped = false;
  let isDue = false;
  let underWay: Promise<void> | null = null;

  async function work(): Promise<void> {
    while (isDue && !isStopped) {
      isDue = false;
      if (await tick()) isDue = true;
      await nextTurn();
    }
    underWay = null;
  }

  const timer = setInterval(() => {
    isDue = true;
    underWay ??= work();
  }, everyMs).unref();

  return {
    async stop() {
      isStopped = true;
      clearInterval(timer);
      await underWay;
    },
  };
}
