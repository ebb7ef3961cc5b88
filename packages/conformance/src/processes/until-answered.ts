import { setTimeout } from "node:timers/promises";
import { RunEventsError } from "@tm/run-events-core";

const PAUSE_MS = 20;
/** The time that a store may need to find its server again. */
const PATIENCE_MS = 10_000;

/**
 * Calls again as long as the store is unavailable and `retryable`.
 * @throws the last failure, if the store does not answer within 10 s
 */
export async function untilAnswered<T>(ask: () => Promise<T>): Promise<T> {
  const giveUpAt = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      const isPassing = error instanceof RunEventsError && error.retryable;
      if (!isPassing || performance.now() > giveUpAt) throw error;
    }
    await setTimeout(PAUSE_MS);
  }
}
