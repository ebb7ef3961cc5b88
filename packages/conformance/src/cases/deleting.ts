import { append, event, events, land } from "../append-request.ts";
import { assert, assertEqual } from "../assert.ts";
import { createRun, readLog, readPage } from "../read-log.ts";
import { OWNER } from "../kit-store.ts";
import type { TrialCase } from "../trial.ts";
import { turns } from "../turns.ts";

const LIST = { ownerId: OWNER, runStatus: null, before: null, limit: 10 } as const;
/** Deleted; the second, read as a pattern, also matches others. */
const DELETED = ["run", "run_"];
const LEFT = ["other", "run-", "run-1", "run1", "Run", "run_1"];
const KEYED = { idempotencyKey: "key" } as const;

/** Cases of S17 in `STORE.md`: deleteRun removes a finished run whole. */
export const deleting: readonly TrialCase[] = [
  {
    name: "S17 deleting a finished run removes it whole, and no other run",
    async run({ store }) {
      const left = [];
      for (const runId of LEFT) {
        await createRun(store, runId);
        const landing = await land(store, runId, events(3), KEYED);
        left.push({ runId, landing, log: await readLog(store, runId) });
      }
      for (const runId of DELETED) {
        await createRun(store, runId);
        await land(store, runId, [...events(3), event("RUN_FAILED")], KEYED);
        assertEqual(await store.deleteRun(runId), "deleted", "the outcome");
        assertEqual(await store.deleteRun(runId), "not_found", "the second outcome");
        assertEqual(await store.getRun(runId), null, "the run");
        assertEqual(await readPage(store, runId), null, "its page");
        const late = await append(store, runId, events(1), KEYED);
        assertEqual(late, { outcome: "not_found" }, "an append");
      }
      const runs = left.map(({ log }) => log.run);
      assertEqual(await store.listRuns(LIST), runs.toReversed(), "the list");
      for (const { runId, landing, log } of left) {
        assertEqual(await readLog(store, runId), log, `the log of ${runId}`);
        const replayed = await append(store, runId, events(3), KEYED);
        assertEqual(replayed, { outcome: "replayed", ...landing }, `the receipt of ${runId}`);
      }
      for (const runId of DELETED) {
        await createRun(store, runId);
        const { firstSequence } = await land(store, runId, events(1), KEYED);
        assertEqual(firstSequence, 1, `where the old key of ${runId} lands`);
      }
    },
  },
  {
    name: "S17 a run that is created while the old one of its id is being removed has none of its events",
    async run({ store }) {
      const old = await createRun(store, "run");
      await land(store, "run", [...events(3), event("RUN_COMPLETED")]);
      let isNew = false;
      const create = async (): Promise<void> => {
        const created = await store.createRun({ runId: "run", ownerId: OWNER, metadata: "null" });
        isNew ||= created.outcome === "created";
      };
      const look = async (): Promise<void> => {
        const page = await readPage(store, "run");
        if (page === null || page.run.ordinal === old.ordinal) return;
        assertEqual(page.events, [], "the events of the new run");
      };
      let isGone = false;
      const removing = store.deleteRun("run").then(() => (isGone = true));
      while (!isNew) {
        const wasGone = isGone;
        const calls: Promise<void>[] = [];
        for (let call = 0; call < 20; call++) {
          calls.push(create(), look());
          // By then a store in memory has answered.
          await turns(1);
        }
        await Promise.all(calls);
        assert(isNew || !wasGone, "a run is created once the old one is removed");
      }
      await removing;
    },
  },
];
