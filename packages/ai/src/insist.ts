import { RunEventsError } from "@tm/run-events-core";

/** The bounds of the pause between two attempts, in milliseconds. */
const FIRST_MS = 25;
const MOST_MS = 1_000;

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
  for (let pauseMs = FIRST_MS; ; pauseMs = Math.min(2 * pauseMs, MOST_MS)) {
    try {
      return await append();
    } catch (error) {
      if (!mayLandLater(error) || signal.aborted) throw error;
    }
    await pause(pauseMs, signal);
  }
}

function mayLandLater(error: unknown): boolean {
  return error instanceof RunEventsError && error.retryable && !error.ambiguous;
}

async function pause(pauseMs: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const end = (): void => resolve();
  const timer = setTimeout(end, pauseMs);
  signal.addEventListener("abort", end);
  await promise;
  clearTimeout(timer);
  signal.removeEventListener("abort", end);
}
