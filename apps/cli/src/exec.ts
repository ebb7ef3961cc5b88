import { hostname } from "node:os";
import type { Client } from "@tm/run-events-client/runs";
import { RunEventsError } from "@tm/run-events-core";
import {
  isRefusal,
  holdLease,
  pollForEnd,
  systemClock,
  escapeText,
  requests,
} from "@tm/run-events-core/wire";
import { describeFailure, describeWith } from "./describe-failure.ts";
import { type Child, startChild } from "./child.ts";
import { envOfChild } from "./child-env.ts";
import { EXIT } from "./exit-code.ts";
import { type Interruption, listenForSignals } from "./interruption.ts";
import type { OutputType } from "./output-event.ts";
import type { Command } from "./parse-command.ts";
import { describeEnd, planEnd, type PlannedEnd, planExitCode } from "./plan-end.ts";
import { createRecorder, type Recorder, recordingEndOf } from "./recorder.ts";
import { readOutput } from "./read-output.ts";
import { recordOutput } from "./record-output.ts";
import { createScreen, type OutputName, type Screen } from "./screen.ts";

/** The longest that the server may hold a poll, in seconds. @see clause W17 in `WIRE.md` */
const WAIT_SECONDS = 25;

/**
 * Runs a command and records it live: its lines as events, its end as the run's end. The run is under a lease, so it ends even if
 * exec dies.
 * @returns the exit code
 */
export async function execCommand(
  runs: Client,
  asked: Extract<Command, { readonly name: "exec" }>,
): Promise<number> {
  const { command } = asked;
  let lease: Lease;
  try {
    lease = await beginRun(runs, asked);
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
    append: (events, how) =>
      runs.append(runId, events, { ...how, fence, patienceMs: Number.POSITIVE_INFINITY }),
    onAway(error) {
      if (error === null) screen.note("the server is back");
      else if (!isAway)
        screen.note(describeWith(error, "new output is sent when the server is back"));
      isAway = error !== null;
    },
  });
  const screen = createScreen({
    stdout: process.stdout,
    stderr: process.stderr,
    progress: createProgress(runId, recorder),
    // As with the command's own pipe: its next write gets SIGPIPE.
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
    return await recordChild({ runs, lease, recorder, screen, child, interruption });
  } finally {
    interruption.close();
    screen.close();
  }
}

/** The lease that this process has on its run. */
interface Lease {
  readonly runId: string;
  readonly fence: number;
  readonly leaseMs: number;
  /** The time at which the claim was sent, by the system's clock. */
  readonly sentAtMs: number;
}

/**
 * Creates a run and claims it, in one step.
 * @throws RunEventsError if the call fails
 */
async function beginRun(
  runs: Client,
  { command, leaseMs, topic, exclusive }: Extract<Command, { readonly name: "exec" }>,
): Promise<Lease> {
  const runId = crypto.randomUUID();
  // The time of the first attempt: an attempt that is sent again gets the same lease.
  const sentAtMs = systemClock.now();
  const run = { runId, topic, exclusive, metadata: { command }, leaseMs, worker: workerName() };
  try {
    const { fence } = await runs.createClaimed(run);
    return { runId, fence, leaseMs, sentAtMs };
  } catch (error) {
    // The run gets no writer, but it may have been created although the answer was lost.
    if (error instanceof RunEventsError && error.ambiguous)
      await runs.cancel(runId).catch(() => {});
    throw error;
  }
}

/** This machine's name, so that the owner sees where the command runs; `null` if no worker may have that name. */
function workerName(): string | null {
  const name = hostname();
  return requests.isWorkerName(name) ? name : null;
}

/**
 * Keeps the lease, and watches for the end of the run by another program. Either may end the recording.
 * @returns functions that stop both
 */
function holdRun(
  runs: Client,
  { runId, fence, leaseMs, sentAtMs }: Lease,
  recorder: Recorder,
): { readonly stopWatching: () => void; readonly release: () => void } {
  const leasing = new AbortController();
  const watching = new AbortController();
  function onEnd(refusal: unknown): void {
    // Once this program sends the run's end, the run may have ended by that, so only its answer counts.
    if (!watching.signal.aborted) recorder.end(recordingEndOf(refusal));
  }
  const lease = holdLease({
    clock: systemClock,
    leaseMs,
    sentAtMs,
    outlasts: true,
    renew: () => runs.renew(runId, fence, { leaseMs, patienceMs: 0, signal: leasing.signal }),
    onLost(refusal) {
      lease.stop();
      onEnd(refusal);
    },
  });
  const watch = pollForEnd({
    clock: systemClock,
    known: () => recorder.lastReceipt()?.lastSequence ?? 0,
    landings: recorder.landings,
    poll: (since) =>
      runs.events(
        runId,
        { since, limit: 1, waitSeconds: WAIT_SECONDS },
        { signal: watching.signal, patienceMs: Number.POSITIVE_INFINITY },
      ),
    // If the run cannot be read for another reason, the next append is refused too, and reports it.
    onEnd: (refusal) => isRefusal(refusal) && onEnd(refusal),
  });
  function stopWatching(): void {
    watch.stop();
    watching.abort();
  }
  return {
    stopWatching,
    release() {
      stopWatching();
      lease.stop();
      leasing.abort();
    },
  };
}

async function recordChild(parts: {
  readonly runs: Client;
  readonly lease: Lease;
  readonly recorder: Recorder;
  readonly screen: Screen;
  readonly child: Child;
  readonly interruption: Interruption;
}): Promise<number> {
  const { runs, lease, recorder, screen, child, interruption } = parts;
  const { runId } = lease;
  const held = holdRun(runs, lease, recorder);
  void recorder.ended.then((end) => {
    // A run that is not recorded to its end must fail. It does so when its lease expires.
    held.release();
    // If only the recording has failed, the command may continue with its work.
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
  held.stopWatching();
  const planned = exit === undefined ? NOT_AWAITED : planEnd(exit, interruption.received());
  const end = await recorder.finish(planned.event);
  held.release();
  screen.note(`run ${runId} ${describeEnd(planned, end)}`);
  const exitCode = planExitCode(planned, end);
  // Otherwise unread output, or a command that is still running, would keep this process alive.
  if (exit === undefined) process.exit(exitCode);
  return exitCode;
}

/** The end of a command that this process no longer waits for. Its recording has already ended. */
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
