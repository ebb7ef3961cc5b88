import { setTimeout as pause } from "node:timers/promises";
import { createRunEvents, RunEventsError, type RunEvents } from "@tm/run-events-core";
import { openStoreUrl } from "../open-store-url.ts";
import { LEASE_MS, runIdOf, RUNS, STEPS, type WorkerReport } from "./chaos-plan.ts";

/**
 * A worker: takes one run after the other that nobody has, until all have ended, and writes its steps. `careful` works as the
 * library has it. `reckless` never looks at a clock or a signal: whatever befalls it, it writes on under the fence that it was
 * given, and tells what became of that.
 */
const [storeUrl = "", manner = ""] = process.argv.slice(2);

/** How long a step takes, in milliseconds. */
const STEP_MS = 8;
const IDLE_MS = 25;

function tell(report: WorkerReport): void {
  process.send?.(report);
}

function codeOf(error: unknown): string {
  if (error instanceof RunEventsError) return error.code;
  throw error;
}

function stepOf(fence: number, step: number): { eventType: string; payload: unknown } {
  return { eventType: "STEP", payload: { fence, step } };
}

async function workCarefully(runs: RunEvents, runId: string): Promise<void> {
  await runs.work(runId, { leaseMs: LEASE_MS }, async (run) => {
    const { fence, lastSequence } = run;
    tell({ claimed: { runId, fence, lastSequence } });
    // Every event so far is a step.
    for (let step = lastSequence; step < STEPS; step++) {
      await run.append([stepOf(fence, step)]);
      await pause(STEP_MS);
    }
    return { fence };
  });
}

async function workRecklessly(runs: RunEvents, runId: string): Promise<void> {
  // With where the log ends, in one step: this process may stand still until another one has the run.
  const { fence, lastSequence } = await runs.log.claim(runId, { leaseMs: LEASE_MS });
  tell({ claimed: { runId, fence, lastSequence } });
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
    const { lastSequence } = await runs.append(runId, [event], { fence });
    tell({ wrote: { runId, fence, sequence: lastSequence } });
  } catch (error) {
    tell({ refused: { runId, fence, code: codeOf(error) } });
    throw error;
  }
}

const { store, close } = await openStoreUrl(storeUrl);
const runs = createRunEvents({ store });
const work = manner === "careful" ? workCarefully : workRecklessly;
const left = new Set(Array.from({ length: RUNS }, (_, index) => runIdOf(index)));
tell({ ready: true });
while (left.size > 0) {
  if (!(await workOnFirst())) await pause(IDLE_MS);
}

/** Works on the first run that nobody has. What was left behind comes before what is new. */
async function workOnFirst(): Promise<boolean> {
  for (const runId of left) {
    try {
      await work(runs, runId);
      left.delete(runId);
      return true;
    } catch (error) {
      // Somebody else has it, or the store is away: the next round sees.
      if (codeOf(error) === "run_finished") left.delete(runId);
    }
  }
  return false;
}

tell({ done: true });
await runs.close();
await close();
process.disconnect?.();
