import { assertEqual } from "../assert.ts";
import { claimExpired, granted, heldUntil, LONG_MS } from "../lease.ts";
import { createRun } from "../read-log.ts";
import type { TrialCase } from "../trial.ts";
import { turns } from "../turns.ts";

const RACES = 8;
const RACERS = 6;
const LEASE = { leaseMs: LONG_MS };

/** Cases of S21 in `STORE.md`: a claim gives a run to one worker. */
export const leases: readonly TrialCase[] = [
  {
    name: "S21 when claims race, one gets the run, and the others are refused with the time of its lease",
    async run(trial) {
      const stores = await trial.stores();
      for (let race = 0; race < RACES; race++) {
        const runId = `run-${race}`;
        await createRun(trial.store, runId);
        // By turns a run that was never claimed, and one whose lease has expired.
        if (race % 2 === 1) await claimExpired(trial.store, runId);
        const outcomes = await Promise.all(
          Array.from({ length: RACERS }, async (_, index) => {
            await turns(race * index);
            return (stores[index % stores.length] ?? trial.store).claim({ ...LEASE, runId });
          }),
        );
        const winners = outcomes.filter(({ outcome }) => outcome === "granted");
        assertEqual(winners.length, 1, "how many got the run");
        const winner = granted(winners[0] ?? { outcome: "not_found" }, "the claim that won");
        for (const outcome of outcomes) {
          if (outcome.outcome === "granted") continue;
          assertEqual(outcome, heldUntil(winner.leaseExpiresAtMs), "a claim that lost");
        }
        assertEqual(await trial.store.getRun(runId), winner, "the run in the end");
      }
    },
  },
];
