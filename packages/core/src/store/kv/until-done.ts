import { RunEventsError } from "../../rules/errors.ts";

/** Several processes may make the same commit at once: all but the first then find what they need in the next attempt. */
const MOST_ATTEMPTS = 32;

/**
 * Attempts what one commit does, until it is done.
 * @throws RunEventsError `store_unavailable`, not retryable, if every attempt fails, as with an engine that compares wrongly
 */
export async function untilDone(attempt: () => Promise<boolean>): Promise<void> {
  for (let at = 0; at < MOST_ATTEMPTS; at++) if (await attempt()) return;
  throw new RunEventsError(
    "store_unavailable",
    `Expected the engine to commit, since \`get\` had just answered the values that it was to check, but \`commit\` answered \`false\` ${MOST_ATTEMPTS} times. Check how the engine compares them, and a missing key with \`null\`.`,
    { retryable: false },
  );
}
