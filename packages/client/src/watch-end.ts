import { isTerminal, RunEventsError, type RunStatus } from "@tm/run-events-core";
import { pause } from "./pause.ts";
import { retrying } from "./retrying.ts";
import type { Server } from "./server.ts";

/** How long the server may hold a poll, in seconds. @see W17 */
const WAIT_SECONDS = 25;
/** How often to look whether the writer is quiet, in milliseconds. While it is not, its appends tell of the end. */
const QUIET_MS = 500;

/** What is watched. */
export interface WatchedRun {
  readonly server: Server;
  readonly runId: string;
  /** The last sequence that the writer knows of. */
  readonly lastSequence: () => number;
  readonly isIdle: () => boolean;
  readonly signal: AbortSignal;
}

/**
 * Waits, while its writer is quiet, until somebody else ends the run.
 * @throws RunEventsError `run_finished` with the status then; why the run cannot be read; the signal's reason
 */
export async function watchEnd(run: WatchedRun): Promise<never> {
  const { server, runId, lastSequence, isIdle, signal } = run;
  let seen = 0;
  for (;;) {
    await pause(QUIET_MS, signal);
    if (!isIdle()) continue;
    seen = Math.max(seen, lastSequence());
    const path = `/v1/agent-runs/${runId}/events?since=${seen}&limit=1&wait=${WAIT_SECONDS}`;
    const { runStatus, events } = await retrying(
      async () => server.askJson<RunNews>({ path, signal }, WAIT_SECONDS),
      signal,
      Infinity,
    );
    if (isTerminal(runStatus)) {
      throw new RunEventsError("run_finished", `The run is ${runStatus}.`, {
        details: { runStatus },
      });
    }
    seen += events.length;
  }
}

interface RunNews {
  readonly runStatus: RunStatus;
  readonly events: readonly unknown[];
}
