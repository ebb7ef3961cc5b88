import { isTerminal, RunEventsError, type RunStatus } from "@tm/run-events-core";
import type { Api } from "./api.ts";
import { pause, retrying } from "./retrying.ts";

/** What a long-poll asks for, in seconds. @see W17 */
const WAIT_SECONDS = 25;
/** Between two polls, in milliseconds: each event of our own ends one. */
const PAUSE_MS = 500;

/**
 * Waits until somebody else ends the run, while the command may be quiet. Appends notice by themselves.
 * @param since the last sequence that is known, asked before each poll
 * @returns the status that the run has ended with, or `null` if the signal ended the wait, or the run cannot be read
 */
export async function watchEnd(
  api: Api,
  runId: string,
  since: () => number,
  signal: AbortSignal,
): Promise<RunStatus | null> {
  let seen = 0;
  try {
    for (;;) {
      seen = Math.max(seen, since());
      const query = { since: seen, limit: 1, waitSeconds: WAIT_SECONDS };
      const page = await retrying(() => api.readPage(runId, query, signal), { signal });
      if (isTerminal(page.runStatus)) return page.runStatus;
      seen += page.events.length;
      await pause(PAUSE_MS, signal);
    }
  } catch (error) {
    // The recorder meets the same refusal at its next append, and says so.
    if (signal.aborted || error instanceof RunEventsError) return null;
    throw error;
  }
}
