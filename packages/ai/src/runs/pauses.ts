/** The bounds of the pause between two attempts, in milliseconds. */
const FIRST_MS = 25;
const MOST_MS = 1_000;

/** The pauses between the attempts of a call that fails. */
export class Pauses {
  #nextMs = FIRST_MS;
  #totalMs = 0;

  /** The sum of the pauses so far, in milliseconds. */
  get totalMs(): number {
    return this.#totalMs;
  }

  /** Begins again: the call has succeeded. */
  reset(): void {
    this.#nextMs = FIRST_MS;
    this.#totalMs = 0;
  }

  /** Makes the next pause, twice as long as the one before it. An abort ends it. */
  async next(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const end = (): void => resolve();
    const timer = setTimeout(end, this.#nextMs);
    this.#totalMs += this.#nextMs;
    this.#nextMs = Math.min(2 * this.#nextMs, MOST_MS);
    if (signal.aborted) end();
    else signal.addEventListener("abort", end);
    await promise;
    clearTimeout(timer);
    signal.removeEventListener("abort", end);
  }
}
