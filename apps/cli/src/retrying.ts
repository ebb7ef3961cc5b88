import { setTimeout as delay } from "node:timers/promises";
import { RunEventsError } from "@tm/run-events-core";

const FIRST_DELAY_MS = 100;
/** The longest delay between two tries, in milliseconds, unless said otherwise. */
export const MOST_DELAY_MS = 5_000;
/** What a server asks for with 429. */
const BUSY_DELAY_MS = 1_000;

/** How long to try a server that has not answered yet, in milliseconds: its address may be wrong. */
export const FIRST_PATIENCE_MS = 5_000;

/** How patient a retry is. */
export interface Patience {
  /** Ends it with the signal's reason. */
  readonly signal?: AbortSignal;
  /** For how long to try. Default for ever. */
  readonly patienceMs?: number;
  /** The longest delay between two tries, in milliseconds. Default 5,000. */
  readonly mostDelayMs?: number;
  /** Told of each failure that is followed by another try. */
  readonly onFailure?: (error: RunEventsError) => void;
}

/**
 * Calls until there is a result. Only what may succeed later is tried again, after a growing, jittered delay.
 * @throws the last error, once it is not retryable or the patience is over
 */
export async function retrying<T>(call: () => Promise<T>, patience: Patience = {}): Promise<T> {
  const { signal, onFailure } = patience;
  const { patienceMs = Number.POSITIVE_INFINITY, mostDelayMs = MOST_DELAY_MS } = patience;
  const giveUpAt = performance.now() + patienceMs;
  for (let backoffMs = FIRST_DELAY_MS; ; backoffMs = Math.min(backoffMs * 2, mostDelayMs)) {
    try {
      return await call();
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof RunEventsError) || !error.retryable) throw error;
      const leastMs = error.code === "too_many_requests" ? BUSY_DELAY_MS : 0;
      const delayMs = Math.max(leastMs, backoffMs * (0.5 + Math.random() / 2));
      if (performance.now() + delayMs >= giveUpAt) throw error;
      onFailure?.(error);
      await pause(delayMs, signal);
    }
  }
}

/** Waits. @throws the signal's reason */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  try {
    await delay(ms, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}
