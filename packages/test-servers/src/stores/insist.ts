import { RunEventsError } from "@tm/run-events-core";
import { setImmediate } from "node:timers/promises";

/** Calls again while the store is away. */
export async function insist<T>(call: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof RunEventsError) || !error.retryable) throw error;
      await setImmediate();
    }
  }
}
