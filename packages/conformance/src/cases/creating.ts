import type { CreateOutcome, NewRunRequest } from "../core-calls.ts";
import { event, events, land } from "../append-request.ts";
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
    name: "S16 two owners may have the same id, and each has a run of its own",
    async run(trial) {
      const { store } = trial;
      const owners = [OWNER, "another owner", OWNER.toUpperCase(), `${OWNER} `];
      for (const [index, ownerId] of owners.entries()) {
        await createRun(store, "run", ownerId, String(index));
        const keyed = { ownerId, idempotencyKey: "key" };
        const { firstSequence } = await land(store, "run", events(index + 1), keyed);
        assertEqual(firstSequence, 1, `where the key of "${ownerId}" landed`);
      }
      await land(store, "run", [event("RUN_COMPLETED")]);
      assertEqual(await store.deleteRun("run"), "deleted", "the removal of the first one's run");
      for (const one of await trial.stores()) {
        for (const [index, ownerId] of owners.entries()) {
          const run = await one.getRun("run", ownerId);
          const shown = run && [run.ownerId, run.metadata, run.lastSequence];
          const expected = index === 0 ? null : [ownerId, String(index), index + 1];
          assertEqual(shown, expected, `the run of "${ownerId}"`);
        }
      }
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
