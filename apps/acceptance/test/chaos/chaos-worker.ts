import { setTimeout as pause } from "node:timers/promises";
import { createRunEvents, RunEventsError, type RunEvents } from "@tm/run-events-core";
import { openStoreUrl } from "../open-store-url.ts";
import { LEASE_MS, runIdOf, RUNS, STEPS, type WorkerReport } from "./chaos-plan.ts";

/**
 * A worker: takes one unclaimed run after the other, until all have ended, and writes its steps. `careful` works as the
 * library has it. `reckless` never checks a clock or a signal: it always writes on under the fence that it was
 * given, and reports the outcome.
 */
const [storeUrl = "", manner = ""] = process.argv.slice(2);

/** The duration of a step, in milliseconds. */
const STEP_MS = 8;
const IDLE_MS = 25;

function report(one: WorkerReport): void {
  process.send?.(one);
}

function codeOf(error: unknown): string {
  if (error instanceof RunEventsError) return error.code;
  throw error;
}

function stepOf(fence: number, step: number): { eventType: string; payload: unknown } {
  return { eventType: "STEP", payload: { fence, step } };
}

async function workCarefully(runs: RunEvents, runId: string): Promise<void> {
  await runs.as("ada").work(runId, { leaseMs: LEASE_MS }, async (run) => {
    const { fence, lastSequence } = run;
    report({ claimed: { runId, fence, lastSequence } });
    // Every event so far is a step.
    for (let step = lastSequence; step < STEPS; step++) {
      await run.append([stepOf(fence, step)]);
      await pause(STEP_MS);
    }
    return { fence };
  });
}

async function workRecklessly(runs: RunEvents, runId: string): Promise<void> {
  // The claim also returns the last sequence: between two calls, this process may be frozen until another one has the run.
  const options = { ownerId: "ada", leaseMs: LEASE_MS };
  const { fence, lastSequence } = await runs.log.claim(runId, options);
  report({ claimed: { runId, fence, lastSequence } });
  for (let step = lastSequence; step < STEPS; step++) {
    await write(runs, runId, fence, stepOf(fence, step));
    await pause(STEP_MS);
  }
  await write(runs, runId, fence, { eventType: "RUN_COMPLETED", payload: { fence } });
}

async function write(
  runs: RunEvents,
  runId: string,
  fence: number,
  event: { eventType: string; payload: unknown },
): Promise<void> {
  try {
    const { lastSequence } = await runs.as("ada").append(runId, [event], { fence });
    report({ wrote: { runId, fence, sequence: lastSequence } });
  } catch (error) {
    report({ refused: { runId, fence, code: codeOf(error) } });
    throw error;
  }
}

const { store, close } = await openStoreUrl(storeUrl);
const runs = createRunEvents({ store });
const work = manner === "careful" ? workCarefully : workRecklessly;
const left = new Set(Array.from({ length: RUNS }, (_, index) => runIdOf(index)));
report({ ready: true });
while (left.size > 0) {
  if (!(await workOnFirst())) await pause(IDLE_MS);
}

/** Works on the first unclaimed run. Runs that a worker lost come before new ones. */
async function workOnFirst(): Promise<boolean> {
  for (const runId of left) {
    try {
      await work(runs, runId);
      left.delete(runId);
      return true;
    } catch (error) {
      // Another worker has it, or the store is away. The next round shows which.
      if (codeOf(error) === "run_finished") left.delete(runId);
    }
  }
  return false;
}

report({ done: true });
await runs.close();
await close();
process.disconnect?.();
