import { isTerminal, RunEventsError, type RunStatus } from "@tm/run-events-core";
import { pause } from "./pause.ts";
import { retrying } from "./retrying.ts";
import type { Server } from "./server.ts";

/** How long the server may hold a poll, in seconds. @see W17 */
const WAIT_SECONDS = 25;
/** How often to look whether the writer is quiet, in milliseconds. While it is not, its requests tell of the end. */
const LOOK_MS = 50;
/** How long from one poll to the next at least, in milliseconds: each of the writer's own events ends one. */
const POLL_MS = 500;

/**
 * Waits, while its writer is quiet, until somebody else ends the run.
 * @param path the run's
 * @param since takes the last sequence that a poll has seen, and says the last that the writer knows of
 * @throws RunEventsError `run_finished` with the status then; why the run cannot be read; the signal's reason
 */
export async function watchEnd(
  server: Server,
  path: string,
  isQuiet: () => boolean,
  signal: AbortSignal,
  since = (seen: number): number => seen,
): Promise<never> {
  let seen = 0;
  let nextAt = 0;
  for (;;) {
    if (isQuiet() && performance.now() >= nextAt) {
      nextAt = performance.now() + POLL_MS;
      const call = {
        path: `${path}/events?since=${since(seen)}&limit=1&wait=${WAIT_SECONDS}`,
        signal,
      };
      const ask = async (): Promise<RunNews> => server.askJson<RunNews>(call, WAIT_SECONDS);
      const { runStatus, lastSequence } = await retrying(ask, signal, Infinity);
      // Whatever the others have written: a page says a terminal status only if it reaches the end. @see W16
      seen = lastSequence;
      // The end may be the writer's own, which is under way.
      if (isTerminal(runStatus) && isQuiet()) {
        const details = { runStatus, lastSequence };
        throw new RunEventsError("run_finished", "The run has finished.", { details });
      }
    }
    await pause(LOOK_MS, signal);
  }
}

interface RunNews {
  readonly runStatus: RunStatus;
  readonly lastSequence: number;
}
