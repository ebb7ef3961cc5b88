import { event, events, land } from "../append-request.ts";
import { assert, assertEqual } from "../assert.ts";
import { createRun, readLog } from "../read-log.ts";
import { OWNER } from "../kit-store.ts";
import type { TrialCase } from "../trial.ts";

const LIST = { ownerId: OWNER, runStatus: null, before: null, limit: 10 } as const;

/** Cases of S16 in `STORE.md`: a new run, and whose it is. */
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
];
