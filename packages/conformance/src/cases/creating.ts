import type { CreateOutcome, NewRunRequest } from "@tm/run-events-core/store";
import { append, event, events, land } from "../append-request.ts";
import { assert, assertEqual } from "../assert.ts";
import { createRun, readLog } from "../read-log.ts";
import { OWNER } from "../kit-store.ts";
import type { Trial, TrialCase } from "../trial.ts";

const RACERS = 12;
const LIST = { ownerId: OWNER, runStatus: null, before: null, limit: 10 } as const;

/** Cases of S16 in `STORE.md`: createRun is idempotent by run and owner. */
export const creating: readonly TrialCase[] = [
  {
    name: "S16 a new run is queued, without phase or events",
    async run(trial) {
      const { store } = trial;
      const stores = await trial.stores();
      for (const one of stores) {
        assertEqual(await one.getRun("run"), null, "a run before it is created");
        assertEqual(await one.listRuns(LIST), [], "the list before");
      }
      const run = await createRun(store, "run", OWNER, '{"model":"x"}');
      const { ordinal, createdAtMs } = run;
      assert(
        Number.isSafeInteger(ordinal) && ordinal > 0,
        `the ordinal is positive, got ${ordinal}`,
      );
      assertEqual(
        run,
        {
          runId: "run",
          ownerId: OWNER,
          runStatus: "queued",
          phase: null,
          lastSequence: 0,
          ordinal,
          createdAtMs,
          updatedAtMs: createdAtMs,
          finishedAtMs: null,
          fence: 0,
          leaseExpiresAtMs: null,
          worker: null,
          topic: null,
          metadata: '{"model":"x"}',
        },
        "the run",
      );
      for (const one of stores) {
        assertEqual(await one.getRun("run"), run, "the run by itself");
        assertEqual(await one.listRuns(LIST), [run], "the list");
        assertEqual(await readLog(one, "run"), { run, events: [] }, "the log");
      }
    },
  },
  {
    name: "S16 an owner that creates its run again gets it as it is",
    async run(trial) {
      const { store } = trial;
      const stores = await trial.stores();
      await createRun(store, "run", OWNER, "1");
      for (const batch of [events(2), [event("RUN_COMPLETED")]]) {
        await land(store, "run", batch);
        const run = await store.getRun("run");
        for (const one of stores) {
          const again = await one.createRun({ runId: "run", ownerId: OWNER, metadata: "2" });
          assertEqual(again, { outcome: "existing", run }, "the outcome");
          assertEqual(await one.getRun("run"), run, "the run afterwards");
        }
      }
    },
  },
  {
    name: "S16 a creation by another owner is refused and changes nothing",
    async run({ store }) {
      const run = await createRun(store, "run", OWNER, "1");
      for (const ownerId of ["another owner", OWNER.toUpperCase(), `${OWNER} `, ""]) {
        const taken = await store.createRun({ runId: "run", ownerId, metadata: "2" });
        assertEqual(taken, { outcome: "taken" }, `the outcome for "${ownerId}"`);
      }
      assertEqual(await store.getRun("run"), run, "the run afterwards");
    },
  },
  {
    name: "S16 when creations by one owner race, one creates the run and all get it",
    async run(trial) {
      const outcomes = await raceToCreate(trial, (index) => ({
        ownerId: OWNER,
        metadata: `${index}`,
      }));
      assertEqual(
        outcomes.map(({ outcome }) => outcome).toSorted(),
        ["created", ...Array.from({ length: RACERS - 1 }, () => "existing")],
        "the outcomes",
      );
      const run = await trial.store.getRun("run");
      for (const outcome of outcomes) {
        assertEqual("run" in outcome && outcome.run, run, "the run");
      }
    },
  },
  {
    name: "S16 when creations by many owners race, one owner gets the run",
    async run(trial) {
      const outcomes = await raceToCreate(trial, (index) => ({
        ownerId: `owner-${index}`,
        metadata: "null",
      }));
      assertEqual(
        outcomes.map(({ outcome }) => outcome).toSorted(),
        ["created", ...Array.from({ length: RACERS - 1 }, () => "taken")],
        "the outcomes",
      );
      const ownerId = `owner-${outcomes.findIndex(({ outcome }) => outcome === "created")}`;
      assertEqual((await trial.store.getRun("run"))?.ownerId, ownerId, "the owner");
      const landed = await append(trial.store, "run", events(1), { ownerId });
      assertEqual(landed.outcome, "appended", "the outcome of the owner's append");
    },
  },
];

/** The racers create the same run at once, dealt out to the store objects in turn. */
async function raceToCreate(
  trial: Trial,
  creationOf: (index: number) => Pick<NewRunRequest, "ownerId" | "metadata">,
): Promise<readonly CreateOutcome[]> {
  const stores = await trial.stores();
  return Promise.all(
    Array.from({ length: RACERS }, (_, index) =>
      (stores[index % stores.length] ?? trial.store).createRun({
        runId: "run",
        ...creationOf(index),
      }),
    ),
  );
}
