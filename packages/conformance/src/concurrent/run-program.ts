import type { RunEventsError } from "@tm/run-events-core";
import type { KitStore } from "../kit-store.ts";
import type { History } from "../history/operation.ts";
import { startedIn } from "../history/check-places.ts";
import { createRecorder, readLogs } from "../history/recorder.ts";
import { createRun } from "../read-log.ts";
import { type Program, PROGRAM_RUNS } from "./program.ts";
import { runIdOf, runSteps } from "./run-steps.ts";

/** Where a program runs. */
export interface ProgramPlace {
  /** Store objects on the same data. The clients are dealt out to them in turn. */
  readonly stores: readonly [KitStore, ...KitStore[]];
  /** The prefix of the ids of its runs, so that many programs run on one store. */
  readonly prefix: string;
}

/** What came of a program. */
export interface ProgramRun {
  /** All calls and answers, and the logs after them. */
  readonly history: History;
  /** What appends were rejected with, the first first. */
  readonly failures: readonly RunEventsError[];
}

/** Runs a program on new runs. */
export async function runProgram(program: Program, place: ProgramPlace): Promise<ProgramRun> {
  const { stores, prefix } = place;
  const [store] = stores;
  const runIds = Array.from({ length: PROGRAM_RUNS }, (_, run) => runIdOf(prefix, run));
  for (const runId of runIds) await createRun(store, runId);
  const recorder = createRecorder();
  const heads = new Map<string, number>();
  const first = {
    client: recorder.client("0", store),
    name: "0.",
    prefix,
    heads,
    fences: new Map(),
  };
  await runSteps(first, program.prefix);
  const outcomes = await Promise.allSettled(
    program.branches.map((steps, index) => {
      const name = String(index + 1);
      const client = recorder.client(name, stores[index % stores.length] ?? store);
      return runSteps(
        { client, name: `${name}.`, prefix, heads: new Map(heads), fences: new Map() },
        steps,
      );
    }),
  );
  // Only when all have ended, so that none goes on in the next program.
  for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
  const { operations } = recorder;
  const logs = await readLogs(store, [...runIds, ...startedIn(operations)]);
  const history = { operations, logs };
  return { history, failures: recorder.failures };
}
