import { BrokenClause } from "../assert.ts";
import { findUnexplained } from "../races/explain.ts";
import type { Race } from "../races/race.ts";
import { raceArbitrary } from "../races/race-arbitrary.ts";
import { runRace } from "../races/run-race.ts";
import type { TrialCase } from "../trial.ts";

/** A race may show only now and then: once one has failed, each smaller one gets this many chances to fail too. */
const CHANCES = 10;

/** Creations, appends, reads, lists, leases, deletions and purges of several clients at once, against the model. */
export const races: readonly TrialCase[] = [
  {
    name: "S5 calls that several clients make at once are answered as the model answers them in some order",
    async run(trial) {
      const stores = await trial.stores();
      let count = 0;

      async function runOnce(race: Race): Promise<void> {
        count += 1;
        const unexplained = findUnexplained(await runRace(race, stores, `r${count}-`));
        if (unexplained !== null) throw new BrokenClause("S5", unexplained);
      }

      await trial.check(raceArbitrary, runOnce, { kind: "races", chances: CHANCES });
    },
  },
];
