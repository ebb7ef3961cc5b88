import fc from "fast-check";
import { due } from "../cases/due.ts";
import { programs } from "../cases/programs.ts";
import { purging } from "../cases/purging.ts";
import { beneathPlace } from "../doors.ts";
import { PROFILES } from "../profile.ts";
import { createRandomCheck } from "../random-check.ts";
import { requireOrder } from "../races/explain.ts";
import { runRace } from "../races/run-race.ts";
import { raceOf, STARTS } from "../races/themes.ts";
import type { ProcessCase, ProcessTrial } from "./process-case.ts";

const HOUR_MS = 3_600_000;
/** The number of races for the place of a topic. */
const RACES = 5;

/** Cases of S24 in `STORE.md`: all times of a store are of one clock, no matter how the clock of a process is set. */
export const clockCases: readonly ProcessCase[] = [
  ["ahead", HOUR_MS] as const,
  ["behind", -HOUR_MS] as const,
].map(([where, clockAheadMs]) => ({
  name: `S21 in a process whose clock is an hour ${where}, leases, ages and places go by the clock that stamps events`,
  run: (trial) => runPrograms(trial, clockAheadMs),
}));

/** Runs the cases of ages and of due runs, and the programs that the model answers. Each needs only one store. */
async function runPrograms({ crew, draws }: ProcessTrial, clockAheadMs: number): Promise<void> {
  const { store } = await crew.start({ clockAheadMs });
  const refuse = (): never => {
    throw new TypeError("Expected a case that makes do with one store.");
  };
  const seed = draws(fc.nat());
  for (const { run } of [...purging, ...due, ...programs]) {
    await run({
      store,
      stores: async () => [store],
      check: createRandomCheck({ profile: PROFILES.quick, seed }),
      canReopen: false,
      beneath: beneathPlace({}, undefined),
      reopen: refuse,
      withFreshStore: refuse,
    });
  }
  for (let round = 0; round < RACES; round++) {
    const race = draws(raceOf(STARTS, [2, 2], 20, true));
    requireOrder("S21", await runRace(race, [store], `r${round}-`));
  }
}
