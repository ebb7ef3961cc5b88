import type { RunEventStore } from "@tm/run-events-core";
import type { History } from "../history/operation.ts";
import { createRecorder, readLogs, type RecordedClient } from "../history/recorder.ts";
import { createRun } from "../read-log.ts";
import { type PlannedAppend, type Program, PROGRAM_RUNS, requestOf, type Step } from "./program.ts";

/** Where a program runs. */
export interface ProgramPlace {
  /** Store objects on the same data. The clients are dealt out to them in turn. */
  readonly stores: readonly [RunEventStore, ...RunEventStore[]];
  /** Stands before the ids of its runs, so that many programs run on one store. */
  readonly prefix: string;
}

/** Runs a program on new runs. @returns all that was asked and answered, and the logs behind it */
export async function runProgram(program: Program, place: ProgramPlace): Promise<History> {
  const { stores, prefix } = place;
  const [store] = stores;
  const runIdOf = (run: number): string => `${prefix}${run}`;
  const runIds = Array.from({ length: PROGRAM_RUNS }, (_, run) => runIdOf(run));
  for (const runId of runIds) await createRun(store, runId);
  const recorder = createRecorder();

  /** Runs a client's steps. @param heads what it has heard of the runs so far, by run */
  async function runSteps(
    name: string,
    client: RecordedClient,
    steps: readonly Step[],
    heads: Map<string, number>,
  ): Promise<void> {
    for (const [at, step] of steps.entries()) await runStep(`${name}${at}`, client, step, heads);
  }

  async function runStep(
    name: string,
    client: RecordedClient,
    step: Step,
    heads: Map<string, number>,
  ): Promise<void> {
    switch (step.call) {
      case "pause":
        for (let turn = 0; turn < step.turns; turn++) await Promise.resolve();
        return;
      case "head": {
        const runId = runIdOf(step.run);
        heads.set(runId, await client.head(runId));
        return;
      }
      case "read": {
        const runId = runIdOf(step.run);
        const since = step.from === "seen" ? (heads.get(runId) ?? 0) : 0;
        heads.set(runId, await client.read(runId, since, step.limit));
        return;
      }
      case "append": {
        const plan = (planned: PlannedAppend, index: number) => {
          const runId = runIdOf(planned.run);
          return requestOf(planned, runId, `${name}.${index}`, heads.get(runId) ?? 0);
        };
        const seen = await client.append(step.requests.map(plan));
        for (const [runId, head] of seen) heads.set(runId, head);
      }
    }
  }

  const before = new Map<string, number>();
  await runSteps("0.", recorder.client("0", store), program.prefix, before);
  const outcomes = await Promise.allSettled(
    program.branches.map((steps, index) => {
      const name = String(index + 1);
      const own = stores[index % stores.length] ?? store;
      return runSteps(`${name}.`, recorder.client(name, own), steps, new Map(before));
    }),
  );
  // Only when all have ended, so that none goes on in the next program.
  for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
  return { operations: recorder.operations, logs: await readLogs(store, runIds) };
}
