import { setImmediate as nextTurn } from "node:timers/promises";

/** Work that is repeated. */
export interface Ticks {
  /** Begins no further tick. Resolves when the one under way has ended. Idempotent. */
  stop(): Promise<void>;
}

/**
 * Ticks every `everyMs` milliseconds, never twice at once. If a tick has left some work, or the next one is due when it ends,
 * the next one follows: after a turn of the event loop and a rest. The timers do not keep the process alive.
 * @param tick does a bounded piece of the work, and returns whether more is left; must not reject
 * @param restAfter returns how long to rest after a tick, given how long the tick took, both in milliseconds
 * @defaultValue `restAfter`: no rest
 */
export function startTicks(
  everyMs: number,
  tick: () => Promise<boolean>,
  restAfter: (tookMs: number) => number = () => 0,
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
      if (!isStopped) await rest(restAfter(performance.now() - startedAt));
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
