import { setTimeout } from "node:timers/promises";

const PAUSE_MS = 20;
const MAX_WAIT_MS = 30_000;

/**
 * Asks again and again until the answer is yes. For what a server shows only when asked.
 *
 * @param what ends the sentence "Waited in vain until ..."
 * @throws Error after 30 s
 */
export async function waitUntil(
  what: string,
  isSo: () => Promise<boolean> | boolean,
): Promise<void> {
  const giveUpAt = performance.now() + MAX_WAIT_MS;
  while (!(await isSo())) {
    if (performance.now() > giveUpAt) throw new Error(`Waited in vain until ${what}.`);
    await setTimeout(PAUSE_MS);
  }
}
