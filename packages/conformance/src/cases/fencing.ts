import type { KitStore } from "../kit-store.ts";
import { append, event, events, land, landingOf } from "../append-request.ts";
import { assert, assertEqual } from "../assert.ts";
import { BY_OWNER, claim, claimExpired, LONG_MS, under } from "../lease.ts";
import { createRun, readLog } from "../read-log.ts";
import type { TrialCase } from "../trial.ts";
import { turns } from "../turns.ts";

const RACES = 20;
const CANCEL = [event("RUN_CANCELLED")];
const COMPLETE = [event("TOKEN"), event("RUN_COMPLETED")];

/** Cases of S5 in `STORE.md`: a claimed run takes appends of its fence, and its owner's. */
export const fencing: readonly TrialCase[] = [
  {
    name: "S5 when a cancel and a completion race, one wins, and the other is finished",
    async run(trial) {
      const [, other = trial.store] = await trial.stores();
      for (let race = 0; race < RACES; race++) await raceEnds(trial.store, other, race);
    },
  },
  {
    name: "S5 no append under an older fence lands once a run is claimed again",
    async run(trial) {
      // Once: each of these may take a connection of its own as long as it is open.
      const stores = await trial.stores();
      for (let race = 0; race < RACES; race++) await raceFences(trial.store, stores, race);
    },
  },
];

async function raceEnds(store: KitStore, other: KitStore, race: number): Promise<void> {
  const runId = `run-${race}`;
  await createRun(store, runId);
  const held = await claim(store, runId);
  const [cancel, completion] = await Promise.all([
    turns(race % 4).then(() => append(other, runId, CANCEL, BY_OWNER)),
    turns((race * 3) % 5).then(() => append(store, runId, COMPLETE, under(held))),
  ]);
  const { run, events: log } = await readLog(store, runId);
  const { runStatus, lastSequence } = run;
  const [winner, loser] = runStatus === "cancelled" ? [cancel, completion] : [completion, cancel];
  assertEqual(winner.outcome, "appended", `the outcome of what ended ${runId} as ${runStatus}`);
  assertEqual(loser, { outcome: "finished", runStatus, lastSequence }, "the outcome of the other");
  assertEqual(log.length, runStatus === "cancelled" ? 1 : 2, "the number of events");
}

/** One worker writes on although its lease has expired, while others claim the run. */
async function raceFences(
  store: KitStore,
  stores: readonly KitStore[],
  race: number,
): Promise<void> {
  const [, other = store] = stores;
  const runId = `run-${race}`;
  await createRun(store, runId);
  const old = await claimExpired(store, runId);
  // By turns a run that is queued, and one that is running.
  const before = race % 2;
  if (before > 0) await land(store, runId, events(before), under(old));
  const [next, ...outcomes] = await Promise.all([
    turns(race % 7).then(() => other.claim({ runId, leaseMs: LONG_MS })),
    ...Array.from({ length: 6 }, async (_, index) => {
      await turns((race * index) % 11);
      return append(stores[index % stores.length] ?? store, runId, events(1), under(old));
    }),
  ]);
  assert(next.outcome === "granted", `the claim of ${runId} is granted, got ${next.outcome}`);
  const landed = outcomes.filter(({ outcome }) => outcome !== "fenced").map(landingOf);
  const late = landed.filter(({ lastSequence }) => lastSequence > next.run.lastSequence);
  assertEqual(late, [], `what landed after ${next.run.lastSequence}, where the run was claimed`);
  const { run } = await readLog(store, runId);
  assertEqual(run.lastSequence, before + landed.length, "the last sequence");
}
