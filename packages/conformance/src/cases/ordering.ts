import type { KitStore } from "../kit-store.ts";
import { append, event, events, land } from "../append-request.ts";
import { assertEqual } from "../assert.ts";
import { BY_OWNER } from "../lease.ts";
import { raceAppends } from "../racing-appends.ts";
import { createRun, readLog } from "../read-log.ts";
import type { Trial, TrialCase } from "../trial.ts";

const ROUNDS = 12;
const RACERS = 12;

/** Cases of S1 and S4 in `STORE.md`: commit order is sequence order, and each run's appends happen one after the other. */
export const ordering: readonly TrialCase[] = [
  {
    name: "S1 a reader that has seen event n never gets a new event at or below n",
    run: (trial) =>
      raceAppends(trial, {
        batch: (isLastRound, round) =>
          isLastRound ? [event("RUN_FAILED")] : events(1 + (round % 3)),
      }),
  },
  {
    name: "S4 exactly one of the appends that expect the same sequence lands",
    run: (trial) =>
      raceTwice(trial, async (race, runId, before) => {
        const outcomes = await race((store) =>
          append(store, runId, events(1), { expectedSequence: before }),
        );
        assertEqual(
          outcomes.map((outcome) => outcome.outcome).toSorted(),
          ["appended", ...Array.from({ length: RACERS - 1 }, () => "sequence_conflict")],
          "the outcomes",
        );
        for (const outcome of outcomes) {
          if (outcome.outcome === "sequence_conflict") {
            assertEqual(outcome.lastSequence, before + 1, "the last sequence of a conflict");
          }
        }
        const { events: log } = await readLog(trial.store, runId);
        assertEqual(log.length, before + 1, "the number of events");
      }),
  },
  {
    name: "S4 appends with the same key that race land once, and all get the same receipt",
    run: (trial) =>
      raceTwice(trial, async (race, runId, before) => {
        const outcomes = await race((store) =>
          append(store, runId, events(3), { idempotencyKey: "key" }),
        );
        assertEqual(
          outcomes.map((outcome) => outcome.outcome).toSorted(),
          ["appended", ...Array.from({ length: RACERS - 1 }, () => "replayed")],
          "the outcomes",
        );
        const places = { firstSequence: before + 1, lastSequence: before + 3 };
        const original = { ...places, runStatus: "running", phase: null };
        for (const { outcome: _, ...landing } of outcomes) {
          assertEqual(landing, original, "the landing");
        }
        const { events: log } = await readLog(trial.store, runId);
        assertEqual(log.length, before + 3, "the number of events");
      }),
  },
  {
    name: "S4 a run ends once under appends that race, and nothing lands after its end",
    run: (trial) =>
      raceTwice(trial, async (race, runId, before) => {
        const outcomes = await race((store, index) =>
          append(store, runId, [event(index % 3 === 1 ? "RUN_CANCELLED" : "TOKEN")]),
        );
        const { run, events: log } = await readLog(trial.store, runId);
        assertEqual(run.runStatus, "cancelled", "the status");
        assertEqual(
          log.filter((one) => one.eventType === "RUN_CANCELLED").map((one) => one.sequence),
          [log.length],
          "the terminal events",
        );
        const landed = outcomes.filter((outcome) => outcome.outcome === "appended");
        assertEqual(before + landed.length, log.length, "the number of appends that landed");
        for (const outcome of outcomes) {
          if (outcome.outcome === "appended") continue;
          assertEqual(
            outcome,
            { outcome: "finished", runStatus: "cancelled", lastSequence: log.length },
            "the outcome of an append that came too late",
          );
        }
      }),
  },
  {
    name: "S4 no append is lost where plain ones meet an owner's, which are decided",
    async run(trial) {
      const { store } = trial;
      const [, other = store] = await trial.stores();
      await createRun(store, "run");
      await land(store, "run", events(1));
      const write = async (one: KitStore, by: Parameters<typeof land>[3]): Promise<void> => {
        for (let round = 0; round < ROUNDS; round++) await land(one, "run", events(1), by);
      };
      await Promise.all([write(store, {}), write(other, BY_OWNER)]);
      const { events: log } = await readLog(store, "run");
      assertEqual(log.length, 1 + 2 * ROUNDS, "the number of events");
    },
  },
];

/** Runs one call for each racer at once, in turn on each store object. */
type Race = <T>(
  call: (store: KitStore, index: number) => Promise<T>,
) => Promise<readonly Awaited<T>[]>;

/**
 * Plays on a new run that is queued, and on one that is running, which takes plain appends.
 * @param play gets the run's id, and how many events it has
 */
async function raceTwice(
  trial: Trial,
  play: (race: Race, runId: string, before: number) => Promise<void>,
): Promise<void> {
  const stores = await trial.stores();
  const race: Race = (call) =>
    Promise.all(
      Array.from({ length: RACERS }, (_, index) =>
        call(stores[index % stores.length] ?? trial.store, index),
      ),
    );
  for (const before of [0, 1]) {
    const runId = `run-${before}`;
    await createRun(trial.store, runId);
    if (before > 0) await land(trial.store, runId, events(before));
    await play(race, runId, before);
  }
}
