import { randomUUID } from "node:crypto";
import { RunEventsError } from "@tm/run-events-core";
import { systemClock } from "@tm/run-events-core/wire";
import { describeFailure } from "./describe-failure.ts";
import type { Api } from "./api.ts";
import { type Child, startChild } from "./child.ts";
import { envOfChild } from "./child-env.ts";
import { escapeText } from "./escape-text.ts";
import { EXIT } from "./exit-code.ts";
import { type Interruption, listenForSignals } from "./interruption.ts";
import { keepLease } from "./keep-lease.ts";
import type { OutputType } from "./output-event.ts";
import type { Command } from "./parse-command.ts";
import { describeEnd, planEnd, type PlannedEnd, planExitCode } from "./plan-end.ts";
import { createRecorder, type Recorder, recordingEndOf } from "./recorder.ts";
import { readOutput } from "./read-output.ts";
import { recordOutput } from "./record-output.ts";
import { FIRST_PATIENCE_MS, retrying } from "./retrying.ts";
import { createScreen, type OutputName, type Screen } from "./screen.ts";
import { watchEnd } from "./watch-end.ts";

/**
 * Runs a command and records it live, under a lease: its lines as events, its end as the run's end. So a run whose exec dies
 * ends too.
 * @returns the exit code
 */
export async function execCommand(
  api: Api,
  { command, leaseMs }: Extract<Command, { readonly name: "exec" }>,
): Promise<number> {
  let lease: Lease;
  try {
    lease = await beginRun(api, command, leaseMs);
  } catch (error) {
    if (!(error instanceof RunEventsError)) throw error;
    process.stderr.write(
      `run-events: the command was not started: ${escapeText(describeFailure(error))}\n`,
    );
    return EXIT.notRecorded;
  }

  const { runId, fence } = lease;
  let isAway = false;
  let isRefused = false;
  const recorder = createRecorder({
    append: (events, idempotencyKey, signal) =>
      api.append(runId, events, { idempotencyKey, fence }, signal),
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
    // As with a pipe of the command's own: it gets SIGPIPE when it writes on.
    onClosed: (output) => child.closeOutput(output),
  });
  screen.note(`recording run ${runId}`);
  void recorder.add([{ eventType: "RUN_STARTED", payload: { command } }]);
  const child = startChild({
    command,
    env: envOfChild(process.env),
    hasTerminal: process.stdin.isTTY === true,
    onRefused(signal, code) {
      if (!isRefused)
        screen.note(`${signal} does not reach the command (${code}): waiting for its end`);
      isRefused = true;
    },
  });
  const interruption = listenForSignals(child, recorder);
  try {
    return await recordChild({ api, lease, recorder, screen, child, interruption });
  } finally {
    interruption.close();
    screen.close();
  }
}

/** A run that this process has. */
interface Lease {
  readonly runId: string;
  readonly fence: number;
  readonly leaseMs: number;
  /** When it was asked for, by the system's clock. */
  readonly sentAtMs: number;
}

/** Creates a run and claims it. @throws RunEventsError if it cannot be had */
async function beginRun(api: Api, command: readonly string[], leaseMs: number): Promise<Lease> {
  // Chosen here, so that creating the run can be repeated.
  const runId = randomUUID();
  const run = { runId, metadata: { command } };
  const patience = { patienceMs: FIRST_PATIENCE_MS };
  await retrying(() => api.createRun(run), patience);
  // Of the first claim: one that is sent again finds the lease that began with it.
  const sentAtMs = systemClock.now();
  const claimKey = randomUUID();
  try {
    const { fence } = await retrying(() => api.claim(runId, leaseMs, claimKey), patience);
    return { runId, fence, leaseMs, sentAtMs };
  } catch (error) {
    // Nobody will write to the run, though a claim may have landed whose answer was lost.
    await retrying(() => api.cancel(runId), patience).catch(() => {});
    throw error;
  }
}

async function recordChild(parts: {
  readonly api: Api;
  readonly lease: Lease;
  readonly recorder: Recorder;
  readonly screen: Screen;
  readonly child: Child;
  readonly interruption: Interruption;
}): Promise<number> {
  const { api, lease, recorder, screen, child, interruption } = parts;
  const { runId, fence, leaseMs } = lease;
  const watching = new AbortController();
  const leasing = new AbortController();
  const { signal } = leasing;
  keepLease({
    ...lease,
    signal,
    renew: () => api.renew(runId, fence, leaseMs, signal),
    onLost(refusal) {
      // When the end is on its way the run may have ended by it, so that has the say.
      if (!watching.signal.aborted) recorder.end(recordingEndOf(refusal));
    },
  });
  const since = (): number => recorder.lastReceipt()?.lastSequence ?? 0;
  void watchEnd(api, runId, since, watching.signal).then((runStatus) => {
    if (runStatus !== null) recorder.end({ outcome: "ended_elsewhere", runStatus });
  });
  void recorder.ended.then((end) => {
    // A run that is not recorded to its end has to fail, as it does when its lease runs out.
    leasing.abort();
    // A command whose recording has failed goes on all the same: it has its own work to do.
    if (end.outcome === "failed") screen.note(`no longer recording: ${end.reason}`);
    else child.stop("SIGTERM");
  });
  const record = (name: OutputName, eventType: OutputType): Promise<void> =>
    recordOutput({
      output: child[name],
      chunks: readOutput(child[name], child.exitedAlone, systemClock),
      eventType,
      recorder,
      passOn: (bytes) => screen.write(name, bytes),
    });
  const finished = Promise.all([
    child.exited,
    record("stdout", "STDOUT"),
    record("stderr", "STDERR"),
  ]);
  const exit = await Promise.race([finished.then(([how]) => how), interruption.givenUp]);
  watching.abort();
  const planned = exit === undefined ? NOT_AWAITED : planEnd(exit, interruption.received());
  const end = await recorder.finish(planned.event);
  leasing.abort();
  screen.note(`run ${runId} ${describeEnd(planned, end)}`);
  const exitCode = planExitCode(planned, end);
  // Neither output that waits for a reader nor a command that goes on keeps this process alive any more.
  if (exit === undefined) process.exit(exitCode);
  return exitCode;
}

/** The end of a command that nothing waits for: its recording has ended already. */
const NOT_AWAITED: PlannedEnd = {
  event: { eventType: "RUN_CANCELLED" },
  exitCode: EXIT.notRecorded,
};

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
