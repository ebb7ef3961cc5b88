import { requireOrder } from "../races/explain.ts";
import { runRace } from "../races/run-race.ts";
import { type Contest, CONTESTS, CREATIONS, raceOf } from "../races/themes.ts";
import { followAcross } from "./follow-across.ts";
import type { ProcessCase, ProcessTrial } from "./process-case.ts";

/** All processes race, round after round, each time on new runs. */
async function compete({ crew, draws, calls }: ProcessTrial, contest: Contest): Promise<void> {
  const { clause, theme, length } = contest;
  const workers = await crew.startAll();
  const [{ store }, ...others] = workers;
  const stores = [store, ...others.map((one) => one.store)] as const;
  const races = raceOf(theme, [workers.length, workers.length], length, true);
  for (let round = 0; round < Math.ceil(calls / length); round++) {
    requireOrder(clause, await runRace(draws(races), stores, `r${round}-`));
  }
}

/** The promises of a store that many processes have open. */
export const raceCases: readonly ProcessCase[] = [
  ...[...CONTESTS, CREATIONS].map((one) => ({
    name: one.name,
    run: (trial: ProcessTrial) => compete(trial, one),
  })),
  {
    name: "S13 a process that reads only when notified sees all that others append, to the end",
    run: (trial) => followAcross(trial, null),
  },
];
