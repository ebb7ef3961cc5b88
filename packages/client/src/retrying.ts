import { RunEventsError } from "@tm/run-events-core";
import { pause } from "./pause.ts";
import { planDelay } from "./plan-delay.ts";

/**
 * Calls until there is a result, with growing, jittered pauses between. To be used for calls that may be repeated.
 * @param patienceMs for how long to try, in milliseconds
 * @throws the last error, once it is not retryable or the patience is over; the signal's reason
 */
export async function retrying<T>(
  call: () => Promise<T>,
  signal: AbortSignal,
  patienceMs: number,
): Promise<T> {
  const giveUpAt = performance.now() + patienceMs;
  for (let failures = 1; ; failures += 1) {
    try {
      return await call();
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof RunEventsError && error.retryable)) throw error;
      const delayMs = planDelay(failures, error.details.retryAfterMs ?? 0, Math.random());
      if (performance.now() + delayMs >= giveUpAt) throw error;
      await pause(delayMs, signal);
    }
  }
}
