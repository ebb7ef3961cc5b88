import type fc from "fast-check";
import type { InputKind } from "../profile.ts";
import { requireOrder } from "../races/explain.ts";
import type { Race } from "../races/race.ts";
import { runRace } from "../races/run-race.ts";
import { CONTESTS, raceArbitrary, raceOf } from "../races/themes.ts";
import type { Trial, TrialCase } from "../trial.ts";

/** A race may show only now and then: once one has failed, each smaller one gets this many chances to fail too. */
const CHANCES = 10;
/** The steps of a client in a short race. */
const SHORT = 8;

/** Calls of several clients at once, against the model: for each clause about them, and short races of all calls. */
export const races: readonly TrialCase[] = [
  ...CONTESTS.map(({ name, clause, theme, length }): TrialCase => {
    const kind = clause === "S4" ? "concurrentPrograms" : "contests";
    const inputs = raceOf(theme, [2, 4], Math.min(length, SHORT));
    return { name, run: (trial) => checkRaces(trial, clause, inputs, kind) };
  }),
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
