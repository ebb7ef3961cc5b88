import fc from "fast-check";
import { assert, assertEqual, BrokenClause } from "../assert.ts";
import { PROGRAM_RUNS, type Step } from "../concurrent/program.ts";
import { runIdOf } from "../concurrent/run-steps.ts";
import { checkHistory } from "../history/check-history.ts";
import { startedIn } from "../history/check-places.ts";
import type { History, Operation, Violation } from "../history/operation.ts";
import { drawTimeline } from "../history/timeline.ts";
import { countMeetings } from "./count-meetings.ts";
import type { Crew } from "./crew.ts";
import type { Draws } from "./draws.ts";
import { type Hammer, HAMMERS } from "./hammers.ts";
import type { ProcessCase, ProcessTrial } from "./process-case.ts";
import type { Worker } from "./start-worker.ts";
import type { CreatedRun } from "./worker-commands.ts";

/** A hammer ends then, even if processes have hardly met. */
const MOST_ROUNDS = 40;
const CREATED_RUNS = 20;

/** @throws Error with the clause and a timeline, if there is a violation */
export function failOn(found: Violation | null, history: Pick<History, "operations">): void {
  if (found === null) return;
  throw new BrokenClause(found.clause, `${found.message}.\n${drawTimeline(history, found)}`);
}

/** What was called, with the logs that a process reads which took no part in it, so that it knows nothing beforehand. */
export async function readHistory(
  reader: Worker,
  runIds: readonly string[],
  operations: readonly Operation[],
): Promise<History> {
  const read = await reader.call("readLogs", { runIds });
  return { operations, logs: new Map(runIds.map((runId, index) => [runId, read[index] ?? []])) };
}

async function hammer(
  { crew, draws, profile }: ProcessTrial,
  { length, step }: Hammer,
): Promise<void> {
  const rounds = Math.ceil(profile.calls / length);
  const workers = await crew.startAll();
  const allRunIds: string[] = [];
  const operations: Operation[] = [];
  const isEnough = (): boolean => countMeetings(operations) >= profile.meetings;
  for (let round = 0; round < rounds || (round < MOST_ROUNDS && !isEnough()); round++) {
    const prefix = `r${round}-`;
    const runIds = Array.from({ length: PROGRAM_RUNS }, (_, run) => runIdOf(prefix, run));
    await workers[0].call("create", { runIds });
    const branches = drawBranches(draws, workers.length, length, step);
    const ofRound = await runAll(workers, prefix, branches);
    operations.push(...ofRound);
    allRunIds.push(...runIds, ...startedIn(ofRound));
  }
  await checkAll(crew, allRunIds, operations);
}

/** What each process does in a round. */
function drawBranches(
  draws: Draws,
  count: number,
  length: number,
  step: fc.Arbitrary<Step>,
): readonly (readonly Step[])[] {
  const branch = fc.array(step, { minLength: length, maxLength: length });
  return Array.from({ length: count }, () => draws.from(branch));
}

async function runAll(
  workers: readonly Worker[],
  prefix: string,
  branches: readonly (readonly Step[])[],
): Promise<readonly Operation[]> {
  const histories = await Promise.all(
    workers.map((worker, index) => {
      const steps = branches[index] ?? [];
      return worker.call("runSteps", { name: worker.name, prefix, steps });
    }),
  );
  return histories.flat();
}

/** Holds what was called against the logs. */
async function checkAll(
  crew: Crew,
  runIds: readonly string[],
  operations: readonly Operation[],
): Promise<History["logs"]> {
  const history = await readHistory(await crew.start(), runIds, operations);
  failOn(checkHistory(history), history);
  return history.logs;
}

async function createAtOnce({ crew }: ProcessTrial): Promise<void> {
  const workers = await crew.startAll();
  const common = Array.from({ length: CREATED_RUNS }, (_, index) => `run-${index}`);
  const created = await Promise.all(
    workers.map((worker) => {
      const own = common.map((runId) => `${runId}-of-${worker.name}`);
      const runIds = common.flatMap((runId, index) => [runId, own[index] ?? runId]);
      return worker.call("create", { runIds });
    }),
  );
  const ordinals = new Set<number | null>();
  for (const [runId, answers] of Map.groupBy(created.flat(), (one) => one.runId)) {
    assertEqual(
      answers.map(({ outcome }) => outcome).toSorted(),
      ["created", ...answers.slice(1).map(() => "existing")],
      `the answers to the processes that created ${runId} at once`,
    );
    const [ordinal, ...others] = new Set(answers.map((one: CreatedRun) => one.ordinal));
    assertEqual(others, [], `other ordinals of ${runId}`);
    assert(!ordinals.has(ordinal ?? null), `${runId} has an ordinal, ${ordinal}, of its own`);
    ordinals.add(ordinal ?? null);
  }
}

async function followAcross({ crew, profile }: ProcessTrial): Promise<void> {
  const [writer, ...others] = await crew.startAll();
  const reader = others.at(-1) ?? writer;
  const prefix = "followed-";
  const runId = runIdOf(prefix, 0);
  await writer.call("create", { runIds: [runId] });
  await reader.call("subscribe", { runId });
  const followed = reader.call("follow", { runId, isPatient: false });
  // Its failure is looked at when the writers have ended.
  followed.catch(() => {});
  const writers = [writer, ...others.slice(0, -1)];
  const steps = Array.from({ length: profile.calls }, () => appendStep("TOKEN"));
  const branches = writers.map(() => steps);
  const operations = await runAll(writers, prefix, branches);
  const name = `${writer.name}-end`;
  const end = [appendStep("RUN_COMPLETED")];
  const ended = await writer.call("runSteps", { name, prefix, steps: end });
  const ids = await followed;
  const logs = await checkAll(crew, [runId], [...operations, ...ended]);
  assertEqual(
    ids,
    logs.get(runId)?.map(({ id }) => id),
    "what the reader got, which is exactly 1 to the end",
  );
}

function appendStep(eventType: string): Step {
  return {
    call: "append",
    requests: [{ run: 0, events: [eventType], key: null, expected: null, by: "anybody" }],
  };
}

/** What holds of a store that many processes have open. */
export const processCases: readonly ProcessCase[] = [
  ...HAMMERS.map((one) => ({ name: one.name, run: (trial: ProcessTrial) => hammer(trial, one) })),
  {
    name: "S13 a process that reads only when notified sees all that others append, to the end",
    run: followAcross,
  },
  {
    name: "S16 runs that processes create at once are created once, each with its own ordinal",
    run: createAtOnce,
  },
];
