/** Looks at runs again and again, while there are any. */
export interface Looks {
  /** Begins, unless it has begun: the first look comes after one period. */
  start(): void;
  stop(): void;
}

/** So many runs are looked at in a millisecond at most, over time. */
const RUNS_A_MS = 20;

/**
 * One look at a time, a period after the one before has ended; longer where there are very many runs. It ends by itself
 * when there are none, and does not keep the process alive.
 */
export function createLooks<Run>(options: {
  readonly periodMs: number;
  readonly pick: () => readonly Run[];
  /** Must not reject. */
  readonly look: (runs: readonly Run[]) => Promise<void>;
}): Looks {
  const { periodMs, pick, look } = options;
  let isGoing = false;
  let timer: NodeJS.Timeout | null = null;

  function arm(delayMs: number): void {
    timer = setTimeout(() => void next(), delayMs);
    timer.unref();
  }

  async function next(): Promise<void> {
    const runs = pick();
    if (runs.length === 0) {
      isGoing = false;
      return;
    }
    await look(runs);
    // Stopped meanwhile.
    if (isGoing) arm(Math.max(periodMs, runs.length / RUNS_A_MS));
  }

  return {
    start() {
      if (isGoing) return;
      isGoing = true;
      arm(periodMs);
    },
    stop() {
      isGoing = false;
      if (timer !== null) clearTimeout(timer);
    },
  };
}
