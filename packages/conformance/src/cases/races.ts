import type fc from "fast-check";
import type { InputKind } from "../profile.ts";
import { requireOrder } from "../races/explain.ts";
import type { Race } from "../races/race.ts";
import { LOGS, raceArbitrary, raceOf } from "../races/race-arbitrary.ts";
import { runRace } from "../races/run-race.ts";
import type { Trial, TrialCase } from "../trial.ts";

/** A race may show only now and then: once one has failed, each smaller one gets this many chances to fail too. */
const CHANCES = 10;

/** Calls of several clients at once, against the model: the logs of runs at length, and short races of all calls. */
export const races: readonly TrialCase[] = [
  {
    name: "S4 one order of the appends explains every answer of programs that run at once",
    run: (trial) => checkRaces(trial, "S4", raceOf(LOGS, [2, 4], 8), "concurrentPrograms"),
  },
  {
    name: "S5 calls that several clients make at once are answered as the model answers them in some order",
    run: (trial) => checkRaces(trial, "S5", raceArbitrary, "races"),
  },
];

async function checkRaces(
  trial: Trial,
  clause: string,
  inputs: fc.Arbitrary<Race>,
  kind: InputKind,
): Promise<void> {
  const stores = await trial.stores();
  let count = 0;

  async function runOnce(race: Race): Promise<void> {
    count += 1;
    requireOrder(clause, await runRace(race, stores, `r${count}-`));
  }

  await trial.check(inputs, runOnce, { kind, chances: CHANCES });
}
