/** The longest time of a timer: about 24 days. */
const MAX_TIMER_MS = 2_147_483_647;

/** The dependencies of an idle timer. */
interface IdleStream {
  /** The last sequence of the stream now; `undefined` if it does not exist. */
  readonly lastSequence: () => Promise<number | undefined>;
  readonly onIdle: () => void;
}

/**
 * A timer that ends a stream without an append for some time. When the time is over, it first looks at the stream. If another process has
 * appended, or if the stream cannot be read, the time begins again. A stream that other processes append to therefore ends within twice the
 * time after the last append.
 */
export class IdleTimer {
  readonly #idleMs: number;
  readonly #stream: IdleStream;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isStopped = false;
  #seen = 0;

  /** @param idleMs how long nothing may be appended, in milliseconds. `Infinity` is for ever, and 24 days are the most of any other */
  constructor(idleMs: number, stream: IdleStream) {
    this.#idleMs = idleMs;
    this.#stream = stream;
  }

  /** Begins the time again, unless the timer was stopped: the stream has this event now. */
  begin(sequence: number): void {
    this.#seen = Math.max(this.#seen, sequence);
    clearTimeout(this.#timer);
    if (this.#isStopped || this.#idleMs === Infinity) return;
    const timer = setTimeout(() => void this.#look(timer), Math.min(this.#idleMs, MAX_TIMER_MS));
    this.#timer = timer;
  }

  /** Ends the timer for good. It does not keep the process alive any more. */
  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  async #look(timer: ReturnType<typeof setTimeout>): Promise<void> {
    const last = await this.#stream.lastSequence().catch(() => null);
    // An append may have landed meanwhile, and have begun the time again.
    if (this.#timer !== timer) return;
    if (last === null) this.begin(this.#seen);
    else if (last !== undefined && last > this.#seen) this.begin(last);
    else this.#stream.onIdle();
  }
}
