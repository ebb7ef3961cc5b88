import { RunEventsError } from "@tm/run-events-core";

/** The bounds of the pause between two attempts, in milliseconds. */
const FIRST_MS = 25;
const MOST_MS = 1_000;

/** The pauses between the attempts of a call that fails. */
export class Pauses {
  #nextMs = FIRST_MS;
  #totalMs = 0;

  /** How long they were together, in milliseconds. */
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

/** Whether the same call may succeed later. An append that may have landed must not be made again. */
export function maySucceedLater(error: unknown): boolean {
  return error instanceof RunEventsError && error.retryable && !error.ambiguous;
}

/**
 * Appends again and again, as a worker does with emitted events: a store that is away for a moment, or has too much to do, ends no stream.
 * An append that may have landed is not made again.
 * @param append refused as `fenced` once the lease is over
 * @param signal of the worker
 * @throws the last failure, once the append cannot land any more or the worker has to stop
 */
export async function insist<Receipt>(
  append: () => Promise<Receipt>,
  signal: AbortSignal,
): Promise<Receipt> {
  const pauses = new Pauses();
  for (;;) {
    try {
      return await append();
    } catch (error) {
      if (!maySucceedLater(error) || signal.aborted) throw error;
    }
    await pauses.next(signal);
  }
}
