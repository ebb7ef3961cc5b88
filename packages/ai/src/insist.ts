import { RunEventsError } from "@tm/run-events-core";
import { Pauses } from "./pauses.ts";

/** Whether the same call may succeed later. An append that may have landed must not be made again. */
export function maySucceedLater(error: unknown): boolean {
  return error instanceof RunEventsError && error.retryable && !error.ambiguous;
}

/**
 * Appends again and again, as a worker does with emitted events: a store that is unavailable or overloaded for a moment ends no stream.
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
