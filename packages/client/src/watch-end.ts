import { isTerminal, RunEventsError, type RunStatus } from "@tm/run-events-core";
import { pause } from "./pause.ts";
import { retrying } from "./retrying.ts";
import type { Server } from "./server.ts";

/** How long the server may hold a poll, in seconds. @see W17 */
const WAIT_SECONDS = 25;
/** How long an answer may take, in milliseconds. */
const ANSWER_MS = 45_000;
/** How often to look whether the writer is quiet, in milliseconds. While it is not, its appends tell of the end. */
const QUIET_MS = 500;

/** What is watched. */
export interface WatchedRun {
  readonly server: Server;
  readonly runId: string;
  /** The last sequence that the writer knows of. */
  readonly lastSequence: () => number;
  readonly isQuiet: () => boolean;
  readonly signal: AbortSignal;
}

/**
 * Waits until somebody else ends the run, while its writer is quiet.
 * @throws the signal's reason; RunEventsError if the run cannot be read
 */
export async function watchEnd(run: WatchedRun): Promise<RunStatus> {
  const { server, runId, lastSequence, isQuiet, signal } = run;
  let seen = 0;
  for (;;) {
    await pause(QUIET_MS, signal);
    if (!isQuiet()) continue;
    seen = Math.max(seen, lastSequence());
    const path = `/v1/agent-runs/${runId}/events?since=${seen}&limit=1&wait=${WAIT_SECONDS}`;
    const ask = async (): Promise<RunNews> => server.askJson({ path, signal, answerMs: ANSWER_MS });
    const { runStatus, events } = await retrying(ask, signal, Number.POSITIVE_INFINITY);
    if (isTerminal(runStatus)) return runStatus;
    seen += events.length;
  }
}

interface RunNews {
  readonly runStatus: RunStatus;
  readonly events: readonly unknown[];
}

/** Why a writer is to stop: the run was ended by somebody else. */
export function endedElsewhere(runStatus: RunStatus): RunEventsError {
  return new RunEventsError("run_finished", `The run is ${runStatus}.`, { details: { runStatus } });
}
