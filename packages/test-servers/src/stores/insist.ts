import { RunEventsError } from "@tm/run-events-core";
import { setImmediate } from "node:timers/promises";

/** Makes the call again as long as it fails with a retryable error. */
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
