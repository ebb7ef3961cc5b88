import { events, land } from "../append-request.ts";
import { assert, assertEqual } from "../assert.ts";
import { createRun, readLog } from "../read-log.ts";
import { OWNER } from "../kit-store.ts";
import type { TrialCase } from "../trial.ts";
import { turns } from "../turns.ts";

/** Each starts the creations some turns further apart. */
const ROUNDS = 5;

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
    name: "S16 the newest run of each owner is the one created last, also in a call for several owners",
    async run({ store }) {
      const owners = [OWNER, "another owner"] as const;
      // The owners have different numbers of runs, so that an ordinal of one is not an ordinal of the other.
      for (let at = 0; at < 5; at += 1) await createRun(store, `old-${at}`, owners[1]);
      await createRun(store, "old", OWNER);
      for (const [round, order] of [owners, owners.toReversed()].entries()) {
        await Promise.all(order.map((ownerId) => createRun(store, `new-${round}`, ownerId)));
        for (const ownerId of owners) {
          const [newest, ...older] = await store.listRuns({ ...LIST, ownerId });
          assertEqual(newest?.runId, `new-${round}`, `the newest run of "${ownerId}"`);
          const count = (ownerId === OWNER ? 1 : 5) + round;
          assertEqual(older.length, count, `the number of the older runs of "${ownerId}"`);
        }
      }
    },
  },
  {
    name: "S16 runs of one owner that are created at once through several stores are all listed",
    async run(trial) {
      const stores = await trial.stores();
      const twice = [...stores, ...stores];
      for (let round = 0; round < ROUNDS; round += 1) {
        const ownerId = `owner-${round}`;
        await Promise.all(
          twice.map(async (one, at) => {
            await turns(round * at);
            await createRun(one, `run-${at}`, ownerId);
          }),
        );
        const listed = await trial.store.listRuns({ ...LIST, ownerId });
        assertEqual(
          listed.map(({ runId }) => runId).toSorted(),
          twice.map((_, at) => `run-${at}`).toSorted(),
          "the runs that were created at once",
        );
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
