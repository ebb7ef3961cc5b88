import { RunEventsError } from "@tm/run-events-core";
import { pause } from "./pause.ts";
import { planDelay } from "./plan-delay.ts";

/** Codes of refusals that say nothing of what an earlier attempt came to: `unauthenticated`, `not_found`, `internal`. */
const UNSETTLING = /^(un|not|int)/;

/**
 * Calls until there is a result, with growing, jittered pauses between. To be used for calls that may be repeated.
 * @param patienceMs for how long to try, in milliseconds
 * @throws the last error, once it is not retryable or the patience is over, `ambiguous` if any attempt may have had its
 * effect; the signal's reason
 */
export async function retrying<T>(
  call: () => Promise<T>,
  signal: AbortSignal,
  patienceMs: number,
): Promise<T> {
  const giveUpAt = performance.now() + patienceMs;
  let isInDoubt = false;
  for (let failures = 1; ; failures += 1) {
    try {
      return await call();
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof RunEventsError)) throw error;
      const { code, details, retryable } = error;
      isInDoubt ||= retryable && code !== "too_many_requests";
      const delayMs = planDelay(failures, details.retryAfterMs ?? 0, Math.random());
      if (!retryable || performance.now() + delayMs >= giveUpAt) {
        const ambiguous = isInDoubt && (retryable || UNSETTLING.test(code));
        throw Object.assign(error, { ambiguous });
      }
      await pause(delayMs, signal);
    }
  }
}
