import { afterTurn } from "@tm/run-events-core/wire";

/**
 * Resolves after everything that the host has ready in this turn of its event loop. A store in memory answers at once, and would
 * else keep timers and signals out for as long as its case takes.
 */
export function nextTurn(): Promise<void> {
  return new Promise(afterTurn);
}
