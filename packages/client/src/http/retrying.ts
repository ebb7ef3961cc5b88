import { RunEventsError, type RunEventsErrorCode } from "@tm/run-events-core";
import { pause } from "./pause.ts";
import { planDelay } from "./plan-delay.ts";

/** Refusals with these codes do not show whether an earlier attempt had its effect. */
const UNSETTLING: ReadonlySet<RunEventsErrorCode> = new Set([
  "unauthenticated",
  "not_found",
  "internal",
]);

/** The time that a call is tried by default, in milliseconds, where a person waits for it. */
export const CALL_PATIENCE_MS = 10_000;

/** Settings of one call: its signal, and how long it is tried. */
export interface CallOptions {
  /** Ends the call with its reason. */
  readonly signal?: AbortSignal | undefined;
  /** The time that this call is tried, in milliseconds. Without it, the client's `patienceMs`. */
  readonly patienceMs?: number | undefined;
  /** Called with each failure after which the call is tried again. */
  readonly onRetry?: ((error: RunEventsError) => void) | undefined;
}

/**
 * Repeats a call until it has a result, with growing, jittered pauses. Without `patienceMs` there is no bound.
 * @throws the last error, once it is not retryable or `patienceMs` is over. It is `ambiguous` if any attempt may have had its effect
 * @throws the signal's reason
 */
export async function retrying<T>(
  call: () => Promise<T>,
  { signal, patienceMs = Infinity, onRetry }: CallOptions,
  mostDelayMs: number | undefined,
): Promise<T> {
  const giveUpAt = performance.now() + patienceMs;
  let isInDoubt = false;
  for (let failures = 1; ; failures += 1) {
    try {
      return await call();
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof RunEventsError)) throw error;
      const { code, details, retryable } = error;
      isInDoubt ||= retryable && code !== "too_many_requests";
      const delayMs = planDelay(failures, details.retryAfterMs ?? 0, Math.random(), mostDelayMs);
      if (!retryable || performance.now() + delayMs >= giveUpAt) {
        const ambiguous = isInDoubt && (retryable || UNSETTLING.has(code));
        throw Object.assign(error, { ambiguous });
      }
      onRetry?.(error);
      await pause(delayMs, signal);
    }
  }
}
