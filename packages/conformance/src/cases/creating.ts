import { events, land } from "../append-request.ts";
import { assert, assertEqual } from "../assert.ts";
import { createRun, readLog } from "../read-log.ts";
import { OWNER } from "../kit-store.ts";
import type { TrialCase } from "../trial.ts";

const LIST = { ownerId: OWNER, runStatus: null, before: null, limit: 10 } as const;

/** Cases of S16 in `STORE.md` and W4 in `WIRE.md`: a new run, and its owner. */
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
    name: "W4 appends go to the run of their own owner, even if another has one of the same id",
    async run({ store }) {
      const owners = [OWNER, "another owner"];
      for (const ownerId of owners) {
        await createRun(store, "run", ownerId);
        // With the same key: each run has its own receipts.
        await land(store, "run", events(1), { ownerId, idempotencyKey: "key" });
      }
      // The run is running now, so these are plain.
      await land(store, "run", events(2), { ownerId: "another owner" });
      for (const [index, ownerId] of owners.entries()) {
        const run = await store.getRun("run", ownerId);
        assertEqual(run?.lastSequence, index === 0 ? 1 : 3, `the last sequence of "${ownerId}"`);
      }
    },
  },
];
