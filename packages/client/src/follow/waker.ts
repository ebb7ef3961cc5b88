/** Lets a loop wait until a listener has something for it. */
export class Waker {
  readonly #signal: AbortSignal | undefined;
  #isAwake = false;
  #wake = (): void => {};

  /** @param signal ends each wait with its reason */
  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
    signal?.addEventListener("abort", this.wake);
  }

  /** Ends the wait, or the next one if there is none. */
  readonly wake = (): void => {
    this.#isAwake = true;
    this.#wake();
  };

  /** @throws the signal's reason */
  async wait(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    if (!this.#isAwake) await promise;
    this.#isAwake = false;
    this.#signal?.throwIfAborted();
  }

  /** Listens to the signal no more. */
  stop(): void {
    this.#signal?.removeEventListener("abort", this.wake);
  }
}
