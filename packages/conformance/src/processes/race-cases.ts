import { events as tokens, event, land } from "../append-request.ts";
import { assertEqual } from "../assert.ts";
import { Follower } from "../follower.ts";
import { OWNER } from "../kit-store.ts";
import { requireOrder } from "../races/explain.ts";
import { runRace } from "../races/run-race.ts";
import { type Contest, CONTESTS, raceOf } from "../races/themes.ts";
import { createRun, readLog } from "../read-log.ts";
import type { ProcessCase, ProcessTrial } from "./process-case.ts";

const CREATED_RUNS = 20;

/** All processes race, round after round, each time on new runs. */
async function compete({ crew, draws, profile }: ProcessTrial, contest: Contest): Promise<void> {
  const { clause, theme, length } = contest;
  const workers = await crew.startAll();
  const [{ store }, ...others] = workers;
  const stores = [store, ...others.map((one) => one.store)] as const;
  const races = raceOf(theme, [workers.length, workers.length], length, true);
  for (let round = 0; round < Math.ceil(profile.calls / length); round++) {
    const race = draws.from(races);
    requireOrder(clause, await runRace(race, stores, `r${round}-`));
  }
}

async function createAtOnce({ crew }: ProcessTrial): Promise<void> {
  const workers = await crew.startAll();
  const common = Array.from({ length: CREATED_RUNS }, (_, index) => `run-${index}`);
  const created = await Promise.all(
    workers.map(async ({ name, store }) => {
      const answers = [];
      for (const runId of common.flatMap((one) => [one, `${one}-of-${name}`])) {
        answers.push(await store.createRun({ runId, ownerId: OWNER, metadata: "null" }));
      }
      return answers;
    }),
  );
  const outcomes = created.flat().map(({ outcome }) => outcome);
  const shared = Array.from({ length: CREATED_RUNS * (workers.length - 1) }, () => "existing");
  const own = Array.from({ length: CREATED_RUNS * (workers.length + 1) }, () => "created");
  assertEqual(outcomes.toSorted(), [...own, ...shared], "what the processes were answered");
  const runs = created.flat().flatMap((answer) => ("run" in answer ? [answer.run] : []));
  const byId = new Map(runs.map(({ runId, ordinal }) => [runId, ordinal]));
  assertEqual(new Set(byId.values()).size, byId.size, "how many ordinals they have");
  for (const { runId, ordinal } of runs) {
    assertEqual(ordinal, byId.get(runId), `the ordinal of ${runId} in each answer`);
  }
}

async function followAcross({ crew, profile }: ProcessTrial): Promise<void> {
  const [writer, ...others] = await crew.startAll();
  const reader = others.at(-1) ?? writer;
  const runId = "followed";
  await createRun(writer.store, runId);
  const follower = await Follower.start(reader.store, runId);
  await Promise.all(
    [writer, ...others.slice(0, -1)].map(async ({ store }) => {
      for (let call = 0; call < profile.calls; call++) await land(store, runId, tokens(1));
    }),
  );
  await land(writer.store, runId, [event("RUN_COMPLETED")]);
  await follower.ended;
  const { events } = await readLog(writer.store, runId);
  assertEqual(follower.events, events, "what the reader got, which is exactly 1 to the end");
}

/** The promises of a store that many processes have open. */
export const raceCases: readonly ProcessCase[] = [
  ...CONTESTS.map((one) => ({
    name: one.name,
    run: (trial: ProcessTrial) => compete(trial, one),
  })),
  {
    name: "S13 a process that reads only when notified sees all that others append, to the end",
    run: followAcross,
  },
  {
    name: "S16 runs that processes create at once are created once, each with its own ordinal",
    run: createAtOnce,
  },
];
