import { setImmediate as nextTurn } from "node:timers/promises";

/** Work that comes back again and again. */
export interface Ticks {
  /** No tick begins any more. Resolves when the one under way has ended. Idempotent. */
  stop(): Promise<void>;
}

/**
 * Ticks every so many milliseconds, never twice at once. A tick that left some work is followed by the next, and so is one that
 * was still under way when the next fell due: without delay if they may have all of the time, but for a turn of the event loop
 * for everybody else, else behind a rest. Keeps no process alive.
 * @param tick does a bounded piece of the work and says whether there is more; must not reject
 * @param share of the time, above 0 to 1. Default 1
 */
export function startTicks(
  everyMs: number,
  tick: () => Promise<boolean>,
  share: number = 1,
): Ticks {
  let endRest = (): void => {};
  let isStopped = false;
  let isDue = false;
  let underWay: Promise<void> | null = null;

  async function rest(forMs: number): Promise<void> {
    await nextTurn();
    if (forMs === 0 || isStopped) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, forMs).unref();
      endRest = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async function work(): Promise<void> {
    while (isDue && !isStopped) {
      isDue = false;
      const startedAt = performance.now();
      if (await tick()) isDue = true;
      if (!isStopped) await rest((performance.now() - startedAt) * (1 / share - 1));
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
      endRest();
      await underWay;
    },
  };
}
