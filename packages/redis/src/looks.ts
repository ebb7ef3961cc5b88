/** The most runs that are looked at in a millisecond, on average. */
const RUNS_A_MS = 20;

/** What `Looks` looks at. */
export interface LooksOptions<Run> {
  /** The pause between looks, in milliseconds. */
  readonly periodMs: number;
  readonly pick: () => readonly Run[];
  /** Must not reject. */
  readonly look: (runs: readonly Run[]) => Promise<void>;
}

/**
 * Looks at runs again and again, while there are any. One look at a time, a period after the one before has ended; longer
 * where there are very many runs. It ends by itself when there are none, and does not keep the process alive.
 */
export class Looks<Run> {
  readonly #options: LooksOptions<Run>;
  #isGoing = false;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: LooksOptions<Run>) {
    this.#options = options;
  }

  /** Begins, unless it has begun: the first look comes after one period. */
  start(): void {
    if (this.#isGoing) return;
    this.#isGoing = true;
    this.#arm(this.#options.periodMs);
  }

  stop(): void {
    this.#isGoing = false;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #arm(delayMs: number): void {
    this.#timer = setTimeout(() => void this.#next(), delayMs);
    this.#timer.unref();
  }

  async #next(): Promise<void> {
    const { periodMs, pick, look } = this.#options;
    const runs = pick();
    if (runs.length === 0) {
      this.#isGoing = false;
      return;
    }
    await look(runs);
    // Stopped meanwhile.
    if (this.#isGoing) this.#arm(Math.max(periodMs, runs.length / RUNS_A_MS));
  }
}
