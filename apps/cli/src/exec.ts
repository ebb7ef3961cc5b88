import { randomUUID } from "node:crypto";
import { RunEventsError } from "@tm/run-events-core";
import type { Api } from "./api.ts";
import { type Child, startChild } from "./child.ts";
import { EXIT } from "./exit-code.ts";
import { type Interruption, listenForSignals } from "./interruption.ts";
import { describeEnd, planEnd, planExitCode } from "./plan-end.ts";
import { createRecorder, type Recorder } from "./recorder.ts";
import { recordOutput } from "./record-output.ts";
import { FIRST_PATIENCE_MS, retrying } from "./retrying.ts";
import { createScreen, type Screen } from "./screen.ts";
import { watchEnd } from "./watch-end.ts";

/**
 * Runs a command and records it live: its lines as events, its end as the run's end.
 * @returns the exit code
 */
export async function execCommand(
  api: Api,
  command: readonly [string, ...string[]],
): Promise<number> {
  // Chosen here, so that creating the run can be repeated.
  const runId = randomUUID();
  const run = { runId, metadata: { command } };
  try {
    await retrying(() => api.createRun(run), { patienceMs: FIRST_PATIENCE_MS });
  } catch (error) {
    if (!(error instanceof RunEventsError)) throw error;
    process.stderr.write(`run-events: the command was not started: ${error.message}\n`);
    return EXIT.notRecorded;
  }

  let isAway = false;
  const recorder = createRecorder({
    append: (events, key, signal) => api.append(runId, events, key, signal),
    onAway(error) {
      if (error === null) screen.note("the server is back");
      else if (!isAway) screen.note(`${error.message}: what follows is sent when it is back`);
      isAway = error !== null;
    },
  });
  const screen = createScreen({
    stdout: process.stdout,
    stderr: process.stderr,
    progress: createProgress(runId, recorder),
  });
  screen.note(`recording run ${runId}`);
  void recorder.add([{ eventType: "RUN_STARTED", payload: { command } }]);
  const child = startChild(command, process.stdin.isTTY === true);
  const interruption = listenForSignals(child, recorder);
  try {
    return await recordChild({ api, runId, recorder, screen, child, interruption });
  } finally {
    interruption.close();
    screen.close();
  }
}

async function recordChild(parts: {
  readonly api: Api;
  readonly runId: string;
  readonly recorder: Recorder;
  readonly screen: Screen;
  readonly child: Child;
  readonly interruption: Interruption;
}): Promise<number> {
  const { api, runId, recorder, screen, child, interruption } = parts;
  const watching = new AbortController();
  const since = (): number => recorder.lastReceipt()?.lastSequence ?? 0;
  void watchEnd(api, runId, since, watching.signal).then((runStatus) => {
    if (runStatus !== null) recorder.end({ outcome: "ended_elsewhere", runStatus });
  });
  void recorder.ended.then((end) => {
    // A command whose recording has failed goes on all the same: it has its own work to do.
    if (end.outcome === "ended_elsewhere") child.stop("SIGTERM");
    else if (end.outcome === "failed") screen.note(`no longer recording: ${end.reason}`);
  });
  const [exit] = await Promise.all([
    child.exited,
    recordOutput(child.stdout, "STDOUT", recorder, (bytes) => screen.write("stdout", bytes)),
    recordOutput(child.stderr, "STDERR", recorder, (bytes) => screen.write("stderr", bytes)),
  ]);
  watching.abort();
  const planned = planEnd(exit, interruption.received());
  const end = await recorder.finish(planned.event);
  screen.note(`run ${runId} ${describeEnd(planned, end)}`);
  return planExitCode(planned, end);
}

/** The line below a command's output on a terminal. */
function createProgress(runId: string, recorder: Recorder): () => string {
  const startedAt = performance.now();
  return () => {
    const { lastSequence = 0, currentPhase = null } = recorder.lastReceipt() ?? {};
    const waiting = recorder.waiting();
    const seconds = Math.round((performance.now() - startedAt) / 1_000);
    return [
      runId,
      ...(currentPhase === null ? [] : [currentPhase]),
      `${lastSequence} events`,
      ...(waiting === 0 ? [] : [`${waiting} waiting`]),
      `${seconds} s`,
    ].join(" · ");
  };
}
