import type { KitStore } from "../kit-store.ts";
import { append, event, events, land, landingOf } from "../append-request.ts";
import { assert, assertEqual } from "../assert.ts";
import { raceAppends } from "../racing-appends.ts";
import { createRun, readLog } from "../read-log.ts";
import type { Trial, TrialCase } from "../trial.ts";

const ROUNDS = 12;
const RACERS = 12;

/** Cases of S3 and S4 in `STORE.md`: commit order is sequence order, and each run's appends happen one after the other. */
export const ordering: readonly TrialCase[] = [
  {
    name: "S3 a reader that has seen event n never gets a new event at or below n",
    run: (trial) =>
      raceAppends(trial, {
        batch: (isLastRound, round) =>
          isLastRound ? [event("RUN_FAILED")] : events(1 + (round % 3)),
      }),
  },
  {
    name: "S4 appends that expect no sequence never conflict",
    async run(trial) {
      const outcomes = await race(trial, (store) => append(store, "run", events(1)));
      for (const outcome of outcomes) landingOf(outcome);
      const { events: log } = await readLog(trial.store, "run");
      assertEqual(log.length, RACERS, "the number of events");
    },
  },
  {
    name: "S4 exactly one of the appends that expect the same sequence lands",
    async run(trial) {
      const outcomes = await race(trial, (store) =>
        append(store, "run", events(1), { expectedSequence: 0 }),
      );
      assertEqual(
        outcomes.map((outcome) => outcome.outcome).toSorted(),
        ["appended", ...Array.from({ length: RACERS - 1 }, () => "sequence_conflict")],
        "the outcomes",
      );
      for (const outcome of outcomes) {
        if (outcome.outcome === "sequence_conflict") {
          assertEqual(outcome.lastSequence, 1, "the last sequence that a conflict names");
        }
      }
      assertEqual((await readLog(trial.store, "run")).events.length, 1, "the number of events");
    },
  },
  {
    name: "S4 appends with the same key that race land once, and all get the same receipt",
    async run(trial) {
      const outcomes = await race(trial, (store) =>
        append(store, "run", events(3), { idempotencyKey: "key" }),
      );
      assertEqual(
        outcomes.map((outcome) => outcome.outcome).toSorted(),
        ["appended", ...Array.from({ length: RACERS - 1 }, () => "replayed")],
        "the outcomes",
      );
      for (const { outcome: _, ...landing } of outcomes) {
        const original = { firstSequence: 1, lastSequence: 3, runStatus: "running", phase: null };
        assertEqual(landing, original, "the landing");
      }
      assertEqual((await readLog(trial.store, "run")).events.length, 3, "the number of events");
    },
  },
  {
    name: "S4 a run ends once under appends that race, and nothing lands after its end",
    async run(trial) {
      const outcomes = await race(trial, (store, index) =>
        append(store, "run", [event(index % 3 === 1 ? "RUN_CANCELLED" : "TOKEN")]),
      );
      const { run, events: log } = await readLog(trial.store, "run");
      assertEqual(run.runStatus, "cancelled", "the status");
      assertEqual(
        log.filter((one) => one.eventType === "RUN_CANCELLED").map((one) => one.sequence),
        [log.length],
        "the terminal events",
      );
      const landed = outcomes.filter((outcome) => outcome.outcome === "appended");
      assertEqual(landed.length, log.length, "the number of appends that landed");
      for (const outcome of outcomes) {
        if (outcome.outcome === "appended") continue;
        assertEqual(
          outcome,
          { outcome: "finished", runStatus: "cancelled", lastSequence: log.length },
          "the outcome of an append that came too late",
        );
      }
    },
  },
  {
    name: "S4 an append that begins after another was answered lands after it",
    async run(trial) {
      const { store } = trial;
      const stores = await trial.stores();
      await createRun(store, "run");
      let answered = 0;
      const write = async (index: number): Promise<void> => {
        for (let round = 0; round < ROUNDS; round++) {
          const before = answered;
          const one = stores[(index + round) % stores.length] ?? store;
          const { firstSequence, lastSequence } = await land(one, "run", events(2));
          assert(
            firstSequence > before,
            `${firstSequence} comes after ${before}, which was answered before`,
          );
          answered = Math.max(answered, lastSequence);
        }
      };
      await Promise.all([0, 1, 2, 3].map(write));
    },
  },
];

/** Runs one call for each racer at once on a new run, in turn on each store object. */
async function race<T>(
  trial: Trial,
  call: (store: KitStore, index: number) => Promise<T>,
): Promise<readonly T[]> {
  const stores = await trial.stores();
  await createRun(trial.store, "run");
  return Promise.all(
    Array.from({ length: RACERS }, (_, index) =>
      call(stores[index % stores.length] ?? trial.store, index),
    ),
  );
}
