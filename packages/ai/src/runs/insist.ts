import { RunEventsError } from "@tm/run-events-core";
import { Pauses } from "./pauses.ts";

/** Whether the same call may succeed later. An append that may have landed must not be made again. */
export function maySucceedLater(error: unknown): boolean {
  return error instanceof RunEventsError && error.retryable && !error.ambiguous;
}

/**
 * Makes a call of a worker again and again, as a worker does with emitted events: a store that is unavailable or overloaded for a moment
 * ends no stream. An append that may have landed is not made again.
 * @param call an append, which is refused as `fenced` once the lease is over, or a read
 * @param signal of the worker. It aborts once the lease is over
 * @throws the last failure, once the call cannot succeed any more or the worker has to stop
 */
export async function insist<Result>(
  call: () => Promise<Result>,
  signal: AbortSignal,
): Promise<Result> {
  const pauses = new Pauses();
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (!maySucceedLater(error) || signal.aborted) throw error;
    }
    await pauses.next(signal);
  }
}
