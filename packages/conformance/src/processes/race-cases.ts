import { requireOrder } from "../races/explain.ts";
import { runRace } from "../races/run-race.ts";
import { type Contest, CONTESTS, CREATIONS, raceOf, STARTS, UPKEEP } from "../races/themes.ts";
import type { WorkerManner } from "./crew.ts";
import { followAcross } from "./follow-across.ts";
import type { ProcessCase, ProcessTrial } from "./process-case.ts";

/**
 * All processes race, round after round, each time on new runs.
 * @param first how the first process differs from the others
 */
async function compete(
  { crew, draws, calls }: ProcessTrial,
  { clause, theme, length }: Omit<Contest, "name">,
  first?: WorkerManner,
): Promise<void> {
  const workers = await crew.startAll(first);
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

/** Longer than any lease that a race has. */
const AHEAD_MS = 2 * 3_600_000;

/** For stores on a server, which processes on several machines have open: their clocks may differ. */
export const differingClocks: ProcessCase = {
  name: "S24 a process whose clock is two hours ahead competes with others for leases and places as if their clocks agreed",
  async run(trial) {
    for (const theme of [STARTS, UPKEEP])
      await compete(trial, { clause: "S24", theme, length: 12 }, { clockAheadMs: AHEAD_MS });
  },
};
